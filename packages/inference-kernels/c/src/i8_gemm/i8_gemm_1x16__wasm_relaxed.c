/* SPDX-License-Identifier: Apache-2.0 */
#define I8_GEMM_NAME i8_gemm_1x16__wasm_relaxed
#include "i8_gemm_wasm.inc"
