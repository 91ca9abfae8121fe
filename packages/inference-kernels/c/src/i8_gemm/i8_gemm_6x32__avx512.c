/* SPDX-License-Identifier: Apache-2.0 */
/* Without VNNI: bytes are widened to 16 bits, since products of bytes in pairs would saturate. */
#include <immintrin.h>

#include "../core/platform.h"

#define I8_GEMM_NAME i8_gemm_6x32__avx512
#define LANES 16
#define TILE_ROWS 6
#define TILE_PANELS 2
#define ROW_PANELS 4
#define PANEL_SUMS 2
typedef __m512i dot_sum, dot_weights, dot_input;
MLC_INLINE dot_sum dot_zero(void) { return _mm512_setzero_si512(); }
MLC_INLINE void dot_load(const uint8_t *panel, dot_weights *weights) {
  weights[0] = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)panel));
  weights[1] = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)(panel + 32)));
}
MLC_INLINE dot_input dot_spread(uint32_t four) { return _mm512_cvtepu8_epi16(_mm256_set1_epi32((int32_t)four)); }
/* Two sums for each column. */
MLC_INLINE dot_sum dot_add(dot_sum sum, dot_input input, dot_weights weights) {
  return _mm512_add_epi32(sum, _mm512_madd_epi16(input, weights));
}
MLC_INLINE void dot_store(const dot_sum *sum, int32_t *sums) {
  for (uint32_t i = 0; i < 2; i++) {
    const __m512i pairs = _mm512_add_epi32(sum[i], _mm512_srli_epi64(sum[i], 32));
    _mm256_store_si256((void *)(sums + 8 * i), _mm512_cvtepi64_epi32(pairs));
  }
}
#include "i8_gemm_tile.inc"
