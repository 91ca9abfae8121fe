/* SPDX-License-Identifier: Apache-2.0 */
/* Which convolutions the transforms run, and how exact they are at the sizes of real layers. */
#include <math.h>

#include "../src/f32_winograd/winograd_conv.h"
#include "test.h"

static mlc_conv2d_record layer(int32_t size, int32_t input_channels, int32_t output_channels) {
  return (mlc_conv2d_record){.opcode = MLC_OP_CONV2D,
                             .batch = 1,
                             .input_height = size,
                             .input_width = size,
                             .input_channels = input_channels,
                             .output_height = size,
                             .output_width = size,
                             .output_channels = output_channels,
                             .kernel_height = 3,
                             .kernel_width = 3,
                             .stride_height = 1,
                             .stride_width = 1,
                             .pad_top = 1,
                             .pad_left = 1,
                             .dilation_height = 1,
                             .dilation_width = 1,
                             .groups = 1};
}

static void test_choice(const mlc_kernel_set *kernels) {
  static const int32_t paying[][3] = {{224, 64, 64},  {112, 64, 128}, {56, 128, 256}, {28, 256, 512},
                                      {28, 512, 512}, {14, 512, 512}, {56, 64, 64},   {14, 256, 256}};
  for (size_t i = 0; i < sizeof paying / sizeof paying[0]; i++) {
    const mlc_conv2d_record r = layer(paying[i][0], paying[i][1], paying[i][2]);
    CHECK(f32_winograd_pays(kernels, &r), "%d x %d x %d is run directly", paying[i][0], paying[i][1], paying[i][2]);
  }
  mlc_conv2d_record r = layer(224, 3, 64); /* the transforms of three channels fill no vector */
  CHECK(!f32_winograd_pays(kernels, &r), "three channels");
  r = layer(2, 512, 512); /* one tile: its kernels take longer to transform than to apply */
  CHECK(!f32_winograd_pays(kernels, &r), "one tile");
  r = layer(56, 64, 64);
  r.stride_height = 2;
  CHECK(!f32_winograd_pays(kernels, &r), "stride");
  r = layer(56, 64, 64);
  r.dilation_width = 2;
  CHECK(!f32_winograd_pays(kernels, &r), "dilation");
  r = layer(56, 64, 64);
  r.groups = 2;
  CHECK(!f32_winograd_pays(kernels, &r), "groups");
  r = layer(56, 64, 64);
  r.kernel_width = 5;
  CHECK(!f32_winograd_pays(kernels, &r), "kernel");
}

/* Largest error of a layer with normal inputs, in units of 2^-24 times the root mean square of the outputs. */
static double error_of(const mlc_kernel_set *kernels, int32_t size, int32_t channels) {
  mlc_conv2d_record r = layer(size, channels, 32);
  const size_t pixels = (size_t)(size * size), inner = (size_t)channels * 9;
  const size_t input_floats = pixels * (size_t)channels, weight_floats = 2 * inner * 16, output_floats = pixels * 32;
  r.weights = (uint32_t)(input_floats + 16) / 16 * 64;
  r.output = r.weights + (uint32_t)weight_floats * 4;
  const uint64_t size_bytes = r.output + output_floats * 4;
  mlc_context *context = make_context(kernels, size_bytes, 1);
  float *input = mlc_floats(context, 0), *weights = mlc_floats(context, r.weights);
  for (size_t i = 0; i < input_floats; i++) input[i] = random_float() + random_float() + random_float();
  for (size_t i = 0; i < weight_floats; i++) weights[i] = random_float() + random_float() + random_float();
  CHECK(mlc_check_record((const int32_t *)&r, size_bytes) == MLC_RECORD_OK && f32_winograd_pays(kernels, &r), "a layer");
  mlc_run_record(context, (const int32_t *)&r);
  const float *output = mlc_floats(context, r.output);
  double worst = 0, squares = 0;
  for (int32_t y = 0; y < size; y++) {
    for (int32_t x = 0; x < size; x++) {
      for (int32_t n = 0; n < 32; n += 5) {
        double sum = 0;
        for (int32_t k = 0; k < 9; k++) {
          const int32_t iy = y + k / 3 - 1, ix = x + k % 3 - 1;
          if (iy < 0 || iy >= size || ix < 0 || ix >= size) continue;
          for (int32_t c = 0; c < channels; c++) {
            sum += (double)input[(size_t)(iy * size + ix) * (size_t)channels + (size_t)c] *
                   weights[(size_t)(n / 16) * inner * 16 + (size_t)(k * channels + c) * 16 + (size_t)(n % 16)];
          }
        }
        worst = fmax(worst, fabs(output[(y * size + x) * 32 + n] - sum));
        squares += sum * sum / (7.0 * (double)pixels);
      }
    }
  }
  free_context(context);
  return worst * 0x1p24 / sqrt(squares);
}

void test_winograd(void) {
  random_seed(36);
  for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) {
    test_choice(*sets);
    static const int32_t layers[][2] = {{28, 64}, {14, 256}, {14, 512}};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
      const double error = error_of(*sets, layers[i][0], layers[i][1]);
      CHECK(error > 0 && error < 400, "%s, %d channels: error %.1f", mlc_kernel_set_isa(*sets), layers[i][1], error);
    }
  }
}
