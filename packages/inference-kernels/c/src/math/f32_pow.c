/* SPDX-License-Identifier: Apache-2.0 */
#include "f32_math.h"

/* Natural logarithm of a positive, finite double: 2*atanh((m-1)/(m+1)) by its series. */
static double log_positive(double x) {
  uint64_t bits = mlc_double_bits(x);
  int64_t exponent = (int64_t)(bits - 0x3fe6a09e667f3bcdull) >> 52;
  double m = mlc_double_of_bits(bits - ((uint64_t)exponent << 52));
  double f = (m - 1.0) / (m + 1.0);
  double s = f * f;
  double p = 0.0;
  for (int k = 17; k >= 1; k -= 2) p = p * s + 1.0 / (double)k;
  return 2.0 * f * p + (double)exponent * 0.69314718055994530942;
}

/* exp of a double in [-1100, 1100]. */
static double exp_bounded(double x) {
  double shifted = x * 1.44269504088896340736 + 6755399441055744.0;
  int64_t n = (int64_t)(mlc_double_bits(shifted) - 0x4338000000000000ull);
  double n_double = shifted - 6755399441055744.0;
  double r = (x - n_double * 0.693147180369123816490) - n_double * 1.90821492927058770002e-10;
  double p = 1.0;
  for (int k = 13; k >= 1; k--) p = p * r / (double)k + 1.0;
  return p * mlc_double_of_bits((uint64_t)(n + 1023) << 52);
}

MLC_INLINE int is_integer(float y) { return mlc_floorf(y) == y; }

MLC_INLINE int is_odd(float y) {
  float half = mlc_absf(y) * 0.5f;
  return mlc_absf(y) < 16777216.0f && is_integer(y) && !is_integer(half);
}

float mlc_powf(float x, float y) {
  if (y == 0.0f || x == 1.0f) return 1.0f;
  if (x != x || y != y) return x + y;
  int negative_result = x < 0.0f || mlc_float_bits(x) >> 31 ? is_odd(y) : 0;
  float a = mlc_absf(x);
  float magnitude;
  if (mlc_absf(y) == MLC_INFINITY) {
    if (a == 1.0f) return 1.0f;
    magnitude = (a > 1.0f) == (y > 0.0f) ? MLC_INFINITY : 0.0f;
  } else if (a == 0.0f) {
    magnitude = y > 0.0f ? 0.0f : MLC_INFINITY;
  } else if (a == MLC_INFINITY) {
    magnitude = y > 0.0f ? MLC_INFINITY : 0.0f;
  } else {
    if (x < 0.0f && !is_integer(y)) return __builtin_nanf("");
    double exponent = log_positive((double)a) * (double)y;
    magnitude = exponent > 700.0 ? MLC_INFINITY : exponent < -700.0 ? 0.0f : (float)exp_bounded(exponent);
  }
  return negative_result ? -magnitude : magnitude;
}
