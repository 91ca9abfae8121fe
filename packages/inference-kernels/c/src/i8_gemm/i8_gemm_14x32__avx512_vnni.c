/* SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>

#include "../core/platform.h"

#define I8_GEMM_NAME i8_gemm_14x32__avx512_vnni
#define I8_GEMM_FETCHES
#define LANES 16
/* 28 sums, 2 operands: 30 of 32 registers. */
#define TILE_ROWS 14
#define TILE_PANELS 2
#define ROW_PANELS 4
#define PANEL_SUMS 1
typedef __m512i dot_sum, dot_weights, dot_input;
MLC_INLINE dot_sum dot_zero(void) { return _mm512_setzero_si512(); }
MLC_INLINE void dot_load(const uint8_t *panel, dot_weights *weights) { weights[0] = _mm512_loadu_si512(panel); }
MLC_INLINE dot_input dot_spread(uint32_t four) { return _mm512_set1_epi32((int32_t)four); }
/* Adds the four products of each column; neither they nor their sum saturate. */
MLC_INLINE dot_sum dot_add(dot_sum sum, dot_input input, dot_weights weights) {
  return _mm512_dpbusd_epi32(sum, input, weights);
}
MLC_INLINE void dot_store(const dot_sum *sum, int32_t *sums) { _mm512_store_si512(sums, sum[0]); }
#include "i8_gemm_tile.inc"
