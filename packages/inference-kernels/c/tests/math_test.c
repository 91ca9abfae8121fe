/* SPDX-License-Identifier: Apache-2.0 */
/* Elementary functions against libm in double, in units in the last place of the float result. */
#include <math.h>

#include "../src/math/f32_math.h"
#include "test.h"

static double ulps(float got, double expected) {
  const float rounded = (float)expected;
  if (isnan(expected)) return isnan(got) ? 0.0 : INFINITY;
  if (isinf(rounded) || isinf(got)) return rounded == got ? 0.0 : INFINITY;
  int exponent;
  frexp(expected == 0.0 ? 0x1p-149 : expected, &exponent);
  const double unit = ldexp(1.0, exponent < -125 ? -149 : exponent - 24);
  return fabs((double)got - expected) / unit;
}

typedef struct {
  const char *name;
  float (*ours)(float);
  double (*theirs)(double);
  float low, high;
  double bound;
} function_case;

static float our_exp(float x) { return mlc_expf(x); }
static float our_expm1(float x) { return mlc_expm1f(x); }
static float our_log(float x) { return mlc_logf(x); }
static float our_tanh(float x) { return mlc_tanhf(x); }
static float our_erf(float x) { return mlc_erff(x); }
static float our_sigmoid(float x) { return mlc_sigmoidf(x); }
static float our_softplus(float x) { return mlc_softplusf(x); }
static float our_floor(float x) { return mlc_floorf(x); }
static float our_ceil(float x) { return mlc_ceilf(x); }
static double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }
static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }

static const function_case cases[] = {
    {"exp", our_exp, exp, -104.0f, 89.0f, 2.0},
    {"exp near 0", our_exp, exp, -0.5f, 0.5f, 1.0},
    {"expm1", our_expm1, expm1, -20.0f, 0.0f, 3.0},
    {"log", our_log, log, 0.0f, 100.0f, 2.0},
    {"log near 1", our_log, log, 0.8f, 1.25f, 2.0},
    {"tanh", our_tanh, tanh, -10.0f, 10.0f, 3.0},
    {"tanh near 0", our_tanh, tanh, -0.7f, 0.7f, 3.0},
    {"erf", our_erf, erf, -5.0f, 5.0f, 3.0},
    {"erf near 0", our_erf, erf, -1e-3f, 1e-3f, 3.0},
    {"sigmoid", our_sigmoid, sigmoid, -87.0f, 30.0f, 3.0},
    {"softplus", our_softplus, softplus, -80.0f, 80.0f, 4.0},
    {"floor", our_floor, floor, -100.0f, 100.0f, 0.0},
    {"ceil", our_ceil, ceil, -100.0f, 100.0f, 0.0},
    {"floor of large", our_floor, floor, -1.7e7f, 1.7e7f, 0.0},
};

static void test_range(const function_case *c) {
  double worst = 0.0;
  float worst_at = 0.0f;
  const int steps = 200000;
  for (int i = 0; i <= steps; i++) {
    const float x = c->low + (c->high - c->low) * ((float)i / (float)steps);
    const double error = ulps(c->ours(x), c->theirs(x));
    if (error > worst) {
      worst = error;
      worst_at = x;
    }
  }
  printf("  %s: %.2f ulp at %g\n", c->name, worst, worst_at);
  CHECK(worst <= c->bound, "%s: %.3f ulp at %.9g", c->name, worst, worst_at);
}

static void test_specials(void) {
  static const float values[] = {0.0f, -0.0f, 1.0f, -1.0f, 1e-45f, -1e-45f, 1.1754942e-38f, 1e-30f, 3.4e38f, -3.4e38f,
                                 0.5f, -0.5f, 8388607.5f, -8388607.5f, INFINITY, -INFINITY, NAN};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    const float x = values[i];
    CHECK(ulps(mlc_expf(x), exp(x)) <= 2.0, "exp(%g) = %g", x, mlc_expf(x));
    CHECK(ulps(mlc_logf(x), log(x)) <= 2.0, "log(%g) = %g", x, mlc_logf(x));
    CHECK(ulps(mlc_tanhf(x), tanh(x)) <= 3.0, "tanh(%g) = %g", x, mlc_tanhf(x));
    CHECK(ulps(mlc_erff(x), erf(x)) <= 3.0, "erf(%g) = %g", x, mlc_erff(x));
    CHECK(ulps(mlc_softplusf(x), softplus(x)) <= 4.0, "softplus(%g) = %g", x, mlc_softplusf(x));
    CHECK(ulps(mlc_floorf(x), floor(x)) == 0.0, "floor(%g) = %g", x, mlc_floorf(x));
    CHECK(signbit(mlc_floorf(x)) == signbit(floorf(x)) || isnan(x), "sign of floor(%g)", x);
    CHECK(ulps(mlc_ceilf(x), ceil(x)) == 0.0, "ceil(%g) = %g", x, mlc_ceilf(x));
    for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
      const float y = values[j];
      CHECK(ulps(mlc_powf(x, y), pow(x, y)) <= 1.0, "pow(%g, %g) = %g", x, y, mlc_powf(x, y));
    }
  }
}

void test_math(void) {
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) test_range(&cases[i]);
  test_specials();
  random_seed(1);
  for (int i = 0; i < 100000; i++) {
    const float x = (i % 3 == 0 ? random_float() : 1.0f) * (float)exp(20.0 * random_float());
    const float y = i % 2 == 0 ? 8.0f * random_float() : (float)((int)random_below(17) - 8);
    CHECK(ulps(mlc_powf(x, y), pow(x, y)) <= 1.0, "pow(%.9g, %.9g) = %.9g", x, y, mlc_powf(x, y));
    /* Any bits at all: no trap, no undefined behavior, NaN only from NaN or where the function is not defined. */
    const float any = mlc_float_of_bits(random_u32());
    CHECK(ulps(mlc_expf(any), exp(any)) <= 2.0, "exp(%.9g) = %.9g", any, mlc_expf(any));
    CHECK(ulps(mlc_logf(any), log(any)) <= 2.0, "log(%.9g) = %.9g", any, mlc_logf(any));
    CHECK(ulps(mlc_tanhf(any), tanh(any)) <= 3.0, "tanh(%.9g) = %.9g", any, mlc_tanhf(any));
    CHECK(ulps(mlc_erff(any), erf(any)) <= 3.0, "erf(%.9g) = %.9g", any, mlc_erff(any));
  }
}
