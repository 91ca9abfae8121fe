/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of weights, for a file of one instruction set. Before inclusion: LANES, the floats per vector. */
#ifndef MLC_WEIGHT_VECTORS_H
#define MLC_WEIGHT_VECTORS_H

#include "../core/vectors.h"
#include "weights.h"

#if defined(__AVX512F__) && LANES == 16
MLC_INLINE vec load_f16(const uint8_t *from) { return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)from)); }
MLC_INLINE vec load_i8(const uint8_t *from) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)from)));
}
#elif defined(__F16C__) && LANES == 8
MLC_INLINE vec load_f16(const uint8_t *from) { return _mm256_cvtph_ps(_mm_loadu_si128((const void *)from)); }
MLC_INLINE vec load_i8(const uint8_t *from) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)from)));
}
#else
typedef int32_t vec_bits __attribute__((vector_size(LANES * 4)));

#if defined(__SSE2__)
#include <emmintrin.h>
/* float16 in the upper halves of 32 bits, zeros in the lower ones. */
MLC_INLINE vec_bits load_halves(const uint8_t *from) {
  return (vec_bits)_mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64((const void *)from));
}
MLC_INLINE vec load_i8(const uint8_t *from) {
  int32_t four;
  __builtin_memcpy(&four, from, sizeof four);
  const __m128i bytes = _mm_unpacklo_epi8(_mm_setzero_si128(), _mm_cvtsi32_si128(four));
  return _mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(_mm_setzero_si128(), bytes), 24));
}
#else
typedef int16_t half_lanes __attribute__((vector_size(LANES * 2), aligned(2), may_alias));
typedef int8_t byte_lanes __attribute__((vector_size(LANES), aligned(1), may_alias));
MLC_INLINE vec_bits load_halves(const uint8_t *from) {
  return __builtin_convertvector(*(const half_lanes *)(const void *)from, vec_bits) << 16;
}
MLC_INLINE vec load_i8(const uint8_t *from) {
  return __builtin_convertvector(*(const byte_lanes *)(const void *)from, vec);
}
#endif

#if defined(__aarch64__)
#include <arm_neon.h>
MLC_INLINE vec load_f16(const uint8_t *from) {
  return (vec)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const void *)from)));
}
#else
/*
 * Sign, exponent and fraction go where a float has them. What is then missing is the difference of the exponents' biases, 127
 * and 15; subnormal numbers become normal by it. Exact for all that is finite.
 */
MLC_INLINE vec load_f16(const uint8_t *from) {
  const vec_bits bits = load_halves(from) >> 3 & (int32_t)0x8fffe000;
  return (vec)bits * 0x1p112f;
}
#endif
#endif

/* One vector of weights as floats. `type` is a constant at every call; `scale` counts for int8 alone. */
MLC_INLINE vec load_weights(const int32_t type, const uint8_t *from, vec scale) {
  if (type == MLC_WEIGHTS_TYPE_F16) return load_f16(from);
  if (type == MLC_WEIGHTS_TYPE_I8) return load_i8(from) * scale;
  return load((const float *)(const void *)from);
}

/* The scales from `column` on, or zeros where the type has none. */
MLC_INLINE vec load_scales(const int32_t type, const float *scales, size_t column) {
  return type == MLC_WEIGHTS_TYPE_I8 ? load(scales + column) : (vec){0};
}

#endif
