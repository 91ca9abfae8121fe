/* SPDX-License-Identifier: Apache-2.0 */
#define I8_GEMM_NAME i8_gemm_1x16__wasm_simd128
#include "i8_gemm_wasm.inc"
