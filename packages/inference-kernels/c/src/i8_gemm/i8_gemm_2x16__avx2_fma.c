/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes are widened to 16 bits, since products of bytes in pairs would saturate. */
#include <immintrin.h>

#include "../core/platform.h"

#define I8_GEMM_NAME i8_gemm_2x16__avx2_fma
#define LANES 8
#define TILE_ROWS 2
#define TILE_PANELS 1
#define ROW_PANELS 2
#define PANEL_SUMS 4
typedef __m256i dot_sum, dot_weights, dot_input;
MLC_INLINE dot_sum dot_zero(void) { return _mm256_setzero_si256(); }
MLC_INLINE void dot_load(const uint8_t *panel, dot_weights *weights) {
  for (uint32_t i = 0; i < 4; i++) weights[i] = _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)(panel + 16 * i)));
}
MLC_INLINE dot_input dot_spread(uint32_t four) { return _mm256_cvtepu8_epi16(_mm_set1_epi32((int32_t)four)); }
/* Two sums for each column. */
MLC_INLINE dot_sum dot_add(dot_sum sum, dot_input input, dot_weights weights) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(input, weights));
}
MLC_INLINE void dot_store(const dot_sum *sum, int32_t *sums) {
  for (uint32_t i = 0; i < 2; i++) {
    /* Columns 0 1 4 5 2 3 6 7 of eight. */
    const __m256i pairs = _mm256_hadd_epi32(sum[2 * i], sum[2 * i + 1]);
    _mm256_store_si256((void *)(sums + 8 * i), _mm256_permute4x64_epi64(pairs, 0xd8));
  }
}
#include "i8_gemm_tile.inc"
