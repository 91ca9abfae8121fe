/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of floats for a file of one instruction set. Before inclusion: LANES, the floats per vector. */
#ifndef MLC_VECTORS_H
#define MLC_VECTORS_H

#include "platform.h"

typedef float vec __attribute__((vector_size(LANES * 4)));
typedef float vec_unaligned __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t vec_mask __attribute__((vector_size(LANES * 4)));

MLC_INLINE vec load(const float *from) { return *(const vec_unaligned *)(const void *)from; }
MLC_INLINE void store(float *to, vec value) { *(vec_unaligned *)(void *)to = value; }

/* Up to a whole vector: the first `count` floats, and zeros. */
MLC_INLINE vec load_part(const float *from, uint32_t count) {
  float values[LANES] = {0};
  for (uint32_t i = 0; i < count; i++) values[i] = from[i];
  return load(values);
}

MLC_INLINE void store_part(float *to, vec value, uint32_t count) {
  float values[LANES];
  store(values, value);
  for (uint32_t i = 0; i < count; i++) to[i] = values[i];
}

/* NaN stays NaN. The instructions return their second operand where one is NaN; pmin and pmax of WebAssembly the first. */
#if defined(__AVX512F__) && LANES == 16
#include <immintrin.h>
MLC_INLINE vec clamp(vec x, float low, float high) {
  return _mm512_min_ps(_mm512_set1_ps(high), _mm512_max_ps(_mm512_set1_ps(low), x));
}
#elif defined(__AVX2__) && LANES == 8
#include <immintrin.h>
MLC_INLINE vec clamp(vec x, float low, float high) {
  return _mm256_min_ps(_mm256_set1_ps(high), _mm256_max_ps(_mm256_set1_ps(low), x));
}
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
MLC_INLINE vec clamp(vec x, float low, float high) {
  return (vec)wasm_f32x4_pmin(wasm_f32x4_pmax((v128_t)x, wasm_f32x4_splat(low)), wasm_f32x4_splat(high));
}
#else
MLC_INLINE vec clamp(vec x, float low, float high) {
  vec lows = low - (vec){0}, highs = high - (vec){0};
  vec_mask below = x < lows;
  x = (vec)(((vec_mask)lows & below) | ((vec_mask)x & ~below));
  vec_mask above = x > highs;
  return (vec)(((vec_mask)highs & above) | ((vec_mask)x & ~above));
}
#endif

/* a * b + c. But for WebAssembly it is left to the compiler, which fuses where the instruction set does. */
#if defined(__wasm_relaxed_simd__)
MLC_INLINE vec multiply_add(vec a, vec b, vec c) {
  return (vec)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c);
}
#else
MLC_INLINE vec multiply_add(vec a, vec b, vec c) { return a * b + c; }
#endif

#endif
