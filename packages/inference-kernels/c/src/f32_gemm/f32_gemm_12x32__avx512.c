/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>
/* maxps and minps return their second operand where one is NaN. */
#define MLC_VECTOR_CLAMP(x, low, high) _mm512_min_ps(_mm512_set1_ps(high), _mm512_max_ps(_mm512_set1_ps(low), x))
#define F32_GEMM_NAME f32_gemm_12x32__avx512
#define LANES 16
#define TILE_ROWS 12
#define TILE_VECTORS 2
#define ROW_VECTORS 4
#include "f32_gemm_tile.inc"

