/* SPDX-License-Identifier: Apache-2.0 */
#define F32_GEMM_NAME f32_gemm_4x8__wasm_relaxed
#define LANES 4
#define TILE_ROWS 4
#define TILE_VECTORS 2
#define ROW_VECTORS 8
#include "f32_gemm_tile.inc"
