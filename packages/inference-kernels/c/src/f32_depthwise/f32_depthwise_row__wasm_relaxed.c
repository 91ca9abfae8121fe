/* SPDX-License-Identifier: Apache-2.0 */
#include <wasm_simd128.h>
#define MLC_VECTOR_FMA(a, b, c) (vec) wasm_f32x4_relaxed_madd((v128_t)(a), (v128_t)(b), (v128_t)(c))
#define F32_DEPTHWISE_NAME f32_depthwise_row__wasm_relaxed
#define LANES 4
#include "f32_depthwise_row.inc"
