/* SPDX-License-Identifier: Apache-2.0 */
#define F32_GEMM_NAME f32_gemm_14x32__avx512
#define F32_GEMM_FETCHES
#define LANES 16
/* 28 sums, 2 operands: 30 of 32 registers. Images of 7, 14, 28, 56 and 112 pixels a side fall into whole tiles. */
#define TILE_ROWS 14
#define TILE_VECTORS 2
#define ROW_VECTORS 4
#include "f32_gemm_tile.inc"

