/* SPDX-License-Identifier: Apache-2.0 */
/* For engines whose dot products of bytes are several instructions. Without relaxed instructions: finishing must keep a NaN. */
#include <wasm_simd128.h>

#include "../core/platform.h"

#define LANES 4
#define I8_GEMM_FINISH i8_gemm_finish__wasm_relaxed
#include "i8_gemm_finish.inc"

#define I8_GEMM_NAME i8_gemm_wide_1x16__wasm_relaxed
#include "i8_gemm_wasm.inc"
