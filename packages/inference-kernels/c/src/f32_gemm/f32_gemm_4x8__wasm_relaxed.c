/* SPDX-License-Identifier: Apache-2.0 */
#include <wasm_simd128.h>
/* pmin and pmax are a compare and a choice: the first operand stays where one is NaN. */
#define MLC_VECTOR_CLAMP(x, low, high) \
  (vec) wasm_f32x4_pmin(wasm_f32x4_pmax((v128_t)x, wasm_f32x4_splat(low)), wasm_f32x4_splat(high))
#define MLC_VECTOR_FMA(a, b, c) (vec) wasm_f32x4_relaxed_madd((v128_t)(a), (v128_t)(b), (v128_t)(c))
#define F32_GEMM_NAME f32_gemm_4x8__wasm_relaxed
#define LANES 4
#define TILE_ROWS 4
#define TILE_VECTORS 2
#define ROW_VECTORS 8
#include "f32_gemm_tile.inc"
