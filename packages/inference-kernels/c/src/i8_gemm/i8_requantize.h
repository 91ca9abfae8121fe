/* SPDX-License-Identifier: Apache-2.0 */
/* How 32-bit sums become bytes again. The same bits on every instruction set: nothing here may be contracted. */
#ifndef MLC_I8_REQUANTIZE_H
#define MLC_I8_REQUANTIZE_H

#include "../core/platform.h"

/* Bounds are those of the bytes less their zero point. */
typedef struct {
  float low, high;
  int32_t zero;
  /* With a residual: what the bytes above stand for, and how the sum of both becomes bytes. */
  float scale;
  int32_t residual_zero;
  float residual_scale, sum_scale, sum_low, sum_high;
  int32_t sum_zero;
  /* 1 / sum_scale, rounded, where all scales are such that no quotient under- or overflows; else 0. */
  float sum_reciprocal;
} i8_requantization;

/* Bytes of a panel in front of its weights: 16 biases and 16 multipliers. */
#define I8_PANEL_HEADER_BYTES 128

/* Adding it to a float of at most 2^22 and taking it off again rounds to an integer, halves to even. */
#define I8_ROUNDING 12582912.0f
#define I8_ROUNDING_BITS 0x4b400000

MLC_INLINE float i8_bounded(float x, float low, float high) {
  x = x > low ? x : low; /* NaN becomes low */
  x = x < high ? x : high;
  return x + I8_ROUNDING - I8_ROUNDING;
}

#endif
