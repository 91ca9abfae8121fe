/* SPDX-License-Identifier: Apache-2.0 */
/* "Scalar" is the target's baseline: SSE2 on x86-64. No fused operations. */
#define F32_GEMM_NAME f32_gemm_4x16__scalar
#define LANES 4
#define TILE_ROWS 4
#define TILE_VECTORS 4
#define ROW_VECTORS 8
#include "f32_gemm_tile.inc"

