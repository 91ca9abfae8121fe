/* SPDX-License-Identifier: Apache-2.0 */
#define F32_GEMM_NAME f32_gemm_6x16__avx2_fma
#define F32_GEMM_FETCHES
#define LANES 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define ROW_VECTORS 8
#include "f32_gemm_tile.inc"

