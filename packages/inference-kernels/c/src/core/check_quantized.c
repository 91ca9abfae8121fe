/* SPDX-License-Identifier: Apache-2.0 */
/* Steps over bytes. Kernels clip windows to the image or copy what they reach, as in check_windows.c. */
#include "check_geometry.h"

#define BYTE(type, field) MLC_REQUIRE(r->field >= 0 && r->field <= 255, type, field)
/* A byte, and not below another. */
#define NOT_BELOW(type, field, least) MLC_REQUIRE(r->field >= r->least && r->field <= 255, type, field)

/* Of one panel: 16 biases and multipliers, then four bytes for each column of each tap and four channels. */
MLC_INLINE uint64_t panel_bytes_of(int32_t kernel_height, int32_t kernel_width, int32_t group_inputs) {
  const uint64_t fours = mlc_times(mlc_times((uint64_t)(group_inputs / 4 + (group_inputs % 4 != 0)), kernel_height), kernel_width);
  return mlc_plus(mlc_times(fours, 64), 128);
}

int32_t mlc_check_quantized_conv2d(const mlc_quantized_conv2d_record *r, uint64_t memory) {
  CHECK_GEOMETRY(mlc_quantized_conv2d_record);
  POSITIVE(mlc_quantized_conv2d_record, input_channels);
  POSITIVE(mlc_quantized_conv2d_record, output_channels);
  POSITIVE(mlc_quantized_conv2d_record, groups);
  MLC_REQUIRE(r->input_channels % r->groups == 0 && r->output_channels % r->groups == 0, mlc_quantized_conv2d_record,
              groups);
  MLC_REQUIRE((r->flags & ~MLC_FLAG_HAS_RESIDUAL) == 0, mlc_quantized_conv2d_record, flags);
  BYTE(mlc_quantized_conv2d_record, input_zero);
  BYTE(mlc_quantized_conv2d_record, zero);
  BYTE(mlc_quantized_conv2d_record, low);
  NOT_BELOW(mlc_quantized_conv2d_record, high, low);
  BYTE(mlc_quantized_conv2d_record, residual_zero);
  BYTE(mlc_quantized_conv2d_record, sum_zero);
  BYTE(mlc_quantized_conv2d_record, sum_low);
  NOT_BELOW(mlc_quantized_conv2d_record, sum_high, sum_low);
  const mlc_extent input =
      mlc_extent_of(r->input, count_of(r->batch, r->input_height, r->input_width, r->input_channels), 1);
  const mlc_extent output =
      mlc_extent_of(r->output, count_of(r->batch, r->output_height, r->output_width, r->output_channels), 1);
  const uint64_t panels = mlc_times(mlc_packed_columns(r->output_channels / r->groups) / MLC_PANEL_WIDTH, r->groups);
  const uint64_t panel_bytes = panel_bytes_of(r->kernel_height, r->kernel_width, r->input_channels / r->groups);
  /* Both factors are at most 2^33: the product is cut before it can wrap. */
  const uint64_t weight_bytes = panels > MLC_TOO_MANY / panel_bytes ? MLC_TOO_MANY : panels * panel_bytes;
  const mlc_extent weights = mlc_extent_of(r->weights, weight_bytes, 1);
  MLC_REQUIRE(mlc_fits(input, memory, 1), mlc_quantized_conv2d_record, input);
  MLC_REQUIRE(mlc_fits(weights, memory, MLC_ALIGNMENT_BYTES), mlc_quantized_conv2d_record, weights);
  MLC_REQUIRE(mlc_fits(output, memory, 1), mlc_quantized_conv2d_record, output);
  MLC_REQUIRE(mlc_apart(input, output) && mlc_apart(weights, output), mlc_quantized_conv2d_record, output);
  if (r->flags & MLC_FLAG_HAS_RESIDUAL) {
    const mlc_extent residual = {r->residual, r->residual + (output.end - output.start)};
    MLC_REQUIRE(mlc_fits(residual, memory, 1), mlc_quantized_conv2d_record, residual);
    MLC_REQUIRE(mlc_apart_or_same(residual, output), mlc_quantized_conv2d_record, residual);
  }
  return MLC_RECORD_OK;
}

int32_t mlc_check_quantize(const mlc_quantize_record *r, uint64_t memory) {
  NOT_NEGATIVE(mlc_quantize_record, count);
  BYTE(mlc_quantize_record, zero);
  BYTE(mlc_quantize_record, low);
  NOT_BELOW(mlc_quantize_record, high, low);
  const mlc_extent input = mlc_extent_of(r->input, (uint64_t)r->count, 4);
  const mlc_extent output = mlc_extent_of(r->output, (uint64_t)r->count, 1);
  MLC_REQUIRE(mlc_fits(input, memory, 4), mlc_quantize_record, input);
  MLC_REQUIRE(mlc_fits(output, memory, 1), mlc_quantize_record, output);
  MLC_REQUIRE(mlc_apart(input, output), mlc_quantize_record, output);
  return MLC_RECORD_OK;
}

int32_t mlc_check_dequantize(const mlc_dequantize_record *r, uint64_t memory) {
  NOT_NEGATIVE(mlc_dequantize_record, count);
  BYTE(mlc_dequantize_record, zero);
  const mlc_extent input = mlc_extent_of(r->input, (uint64_t)r->count, 1);
  const mlc_extent output = mlc_extent_of(r->output, (uint64_t)r->count, 4);
  MLC_REQUIRE(mlc_fits(input, memory, 1), mlc_dequantize_record, input);
  MLC_REQUIRE(mlc_fits(output, memory, 4), mlc_dequantize_record, output);
  MLC_REQUIRE(mlc_apart(input, output), mlc_dequantize_record, output);
  return MLC_RECORD_OK;
}

int32_t mlc_check_quantized_add(const mlc_quantized_add_record *r, uint64_t memory) {
  NOT_NEGATIVE(mlc_quantized_add_record, count);
  BYTE(mlc_quantized_add_record, a_zero);
  BYTE(mlc_quantized_add_record, b_zero);
  BYTE(mlc_quantized_add_record, zero);
  BYTE(mlc_quantized_add_record, low);
  NOT_BELOW(mlc_quantized_add_record, high, low);
  const mlc_extent a = mlc_extent_of(r->a, (uint64_t)r->count, 1), b = mlc_extent_of(r->b, (uint64_t)r->count, 1);
  const mlc_extent output = mlc_extent_of(r->output, (uint64_t)r->count, 1);
  MLC_REQUIRE(mlc_fits(a, memory, 1), mlc_quantized_add_record, a);
  MLC_REQUIRE(mlc_fits(b, memory, 1), mlc_quantized_add_record, b);
  MLC_REQUIRE(mlc_fits(output, memory, 1), mlc_quantized_add_record, output);
  MLC_REQUIRE(mlc_apart_or_same(a, output) && mlc_apart_or_same(b, output), mlc_quantized_add_record, output);
  return MLC_RECORD_OK;
}

int32_t mlc_check_quantized_max_pool2d(const mlc_quantized_max_pool2d_record *r, uint64_t memory) {
  CHECK_GEOMETRY(mlc_quantized_max_pool2d_record);
  POSITIVE(mlc_quantized_max_pool2d_record, channels);
  const mlc_extent input = mlc_extent_of(r->input, count_of(r->batch, r->input_height, r->input_width, r->channels), 1);
  const mlc_extent output =
      mlc_extent_of(r->output, count_of(r->batch, r->output_height, r->output_width, r->channels), 1);
  MLC_REQUIRE(mlc_fits(input, memory, 1), mlc_quantized_max_pool2d_record, input);
  MLC_REQUIRE(mlc_fits(output, memory, 1), mlc_quantized_max_pool2d_record, output);
  MLC_REQUIRE(mlc_apart(input, output), mlc_quantized_max_pool2d_record, output);
  return MLC_RECORD_OK;
}
