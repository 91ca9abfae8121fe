/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elementary functions without libc, branch-free so that loops over them vectorize, and without fused operations so
 * that every target gives the same bits. Errors stated in units in the last place (ulp) are held by c/tests/math.
 */
#ifndef MLC_F32_MATH_H
#define MLC_F32_MATH_H

#include "../core/platform.h"

#define MLC_ROUND_MAGIC 12582912.0f /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */
#define MLC_LN2_HIGH 0.693359375f   /* 9 bits: times a small integer it is exact */
#define MLC_LN2_LOW (-2.12194440e-4f)

MLC_INLINE float mlc_absf(float x) { return mlc_float_of_bits(mlc_float_bits(x) & 0x7fffffffu); }

MLC_INLINE float mlc_copysignf(float magnitude, float sign) {
  return mlc_float_of_bits((mlc_float_bits(magnitude) & 0x7fffffffu) | (mlc_float_bits(sign) & 0x80000000u));
}

MLC_INLINE float mlc_sqrtf(float x) { return __builtin_sqrtf(x); }

/* Comparisons are written so that a NaN comes out again. */
MLC_INLINE float mlc_clampf(float x, float low, float high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

MLC_INLINE float mlc_floorf(float x) {
  float a = mlc_absf(x);
  float rounded = mlc_copysignf((a + 8388608.0f) - 8388608.0f, x);
  rounded = rounded > x ? rounded - 1.0f : rounded;
  return a < 8388608.0f ? mlc_copysignf(rounded, x) : x;
}

MLC_INLINE float mlc_ceilf(float x) { return -mlc_floorf(-x); }

/* (exp(r) - 1 - r) / r^2 for |r| <= ln(2)/2. */
MLC_INLINE float mlc_exp_tail(float r) {
  float q = 0.000198919806f;
  q = q * r + 0.00139345415f;
  q = q * r + 0.00833331048f;
  q = q * r + 0.0416664556f;
  q = q * r + 0.166666672f;
  return q * r + 0.5f;
}

/* 2 ulp; overflows to infinity, underflows gradually to 0. */
MLC_INLINE float mlc_expf(float x) {
  x = mlc_clampf(x, -104.0f, 89.0f);
  float shifted = x * 1.44269504f + MLC_ROUND_MAGIC;
  uint32_t n = mlc_float_bits(shifted) - 0x4b400000u; /* two's complement: no cast that a NaN could upset */
  float n_float = shifted - MLC_ROUND_MAGIC;
  float r = x - n_float * MLC_LN2_HIGH;
  r = r - n_float * MLC_LN2_LOW;
  float value = 1.0f + (r + r * r * mlc_exp_tail(r));
  uint32_t half = (uint32_t)((int32_t)n >> 1); /* two factors: 2^128 and 2^-150 are no floats */
  return value * mlc_float_of_bits((half + 127u) << 23) * mlc_float_of_bits((n - half + 127u) << 23);
}

/* 3 ulp for x <= 0, where elu needs it. */
MLC_INLINE float mlc_expm1f(float x) {
  float r = mlc_clampf(x, -0.4f, 0.4f);
  float near = r + r * r * mlc_exp_tail(r);
  float far = mlc_expf(x) - 1.0f;
  return mlc_absf(x) < 0.34f ? near : far;
}

/* 2 ulp; denormals included; -infinity at 0, NaN below. */
MLC_INLINE float mlc_logf(float x) {
  int small = x < 1.17549435e-38f;
  float scaled = small ? x * 33554432.0f : x;
  uint32_t bits = mlc_float_bits(scaled);
  int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;
  float f = mlc_float_of_bits(bits - ((uint32_t)exponent << 23)) - 1.0f; /* sqrt(1/2)-1 .. sqrt(2)-1 */
  float e = (float)exponent - (small ? 25.0f : 0.0f);
  float s = f * f;
  float p = 0.0697161183f;
  p = p * f - 0.114797339f;
  p = p * f + 0.116854198f;
  p = p * f - 0.124256872f;
  p = p * f + 0.142490581f;
  p = p * f - 0.166678026f;
  p = p * f + 0.200007156f;
  p = p * f - 0.24999997f;
  p = p * f + 0.333333313f;
  float y = f * s * p + e * MLC_LN2_LOW;
  y = y - 0.5f * s;
  float value = (f + y) + e * MLC_LN2_HIGH;
  value = x < MLC_INFINITY ? value : x; /* infinity and NaN stay */
  value = x == 0.0f ? -MLC_INFINITY : value;
  return x < 0.0f ? __builtin_nanf("") : value;
}

/* 3 ulp. */
MLC_INLINE float mlc_tanhf(float x) {
  float a = mlc_absf(x);
  float s = x * x;
  float p = 0.00229274482f;
  p = p * s - 0.00834394526f;
  p = p * s + 0.0217689183f;
  p = p * s - 0.0539592579f;
  p = p * s + 0.133333042f;
  p = p * s - 0.333333343f;
  float near = x + x * s * p;
  float far = mlc_copysignf(1.0f - 2.0f / (mlc_expf(2.0f * a) + 1.0f), x);
  return a < 0.625f ? near : far;
}

/* 3 ulp. */
MLC_INLINE float mlc_erff(float x) {
  float a = mlc_absf(x);
  float s = x * x;
  float p = 8.33471859e-05f;
  p = p * s - 0.000813470921f;
  p = p * s + 0.00520036882f;
  p = p * s - 0.0268591512f;
  p = p * s + 0.112836912f;
  p = p * s - 0.376126349f;
  p = p * s + 0.128379166f;
  float near = x + x * p;
  float t = a > 4.0f ? 4.0f : a; /* erfc(4) is below half an ulp of 1 */
  float q = 1.65139427e-05f;
  q = q * t - 0.000372314418f;
  q = q * t + 0.00382471806f;
  q = q * t - 0.024094997f;
  q = q * t + 0.106548578f;
  q = q * t + 0.63501519f;
  q = q * t + 1.12866795f;
  float far = mlc_copysignf(1.0f - mlc_expf(-(q * t)), x);
  return a < 0.9f ? near : far;
}

/* 3 ulp. */
MLC_INLINE float mlc_sigmoidf(float x) { return 1.0f / (1.0f + mlc_expf(-x)); }

/* log(1 + exp(x)), 4 ulp; log1p by the quotient log(u)/(u - 1), which cancels the error of u = 1 + e. */
MLC_INLINE float mlc_softplusf(float x) {
  float e = mlc_expf(-mlc_absf(x));
  float u = 1.0f + e;
  float d = u - 1.0f;
  float log1p = d == 0.0f ? e : mlc_logf(u) * (e / d);
  return (x > 0.0f ? x : 0.0f) + log1p;
}

/* C99 Annex F rules; 1 ulp by way of double. Not meant to vectorize. */
float mlc_powf(float x, float y);

#endif
