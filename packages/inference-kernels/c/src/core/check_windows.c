/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolution and pooling. Kernels clip every window to the image, so no choice of padding, stride or dilation can lead
 * out of it: what must hold here is that the tensors lie in the memory and that counts are what they say.
 */
#include "check_geometry.h"

int32_t mlc_check_conv2d(const mlc_conv2d_record *r, uint64_t memory) {
  CHECK_GEOMETRY(mlc_conv2d_record);
  POSITIVE(mlc_conv2d_record, input_channels);
  POSITIVE(mlc_conv2d_record, output_channels);
  POSITIVE(mlc_conv2d_record, groups);
  MLC_REQUIRE(r->input_channels % r->groups == 0 && r->output_channels % r->groups == 0, mlc_conv2d_record, groups);
  MLC_REQUIRE((r->flags & ~(MLC_FLAG_HAS_BIAS | MLC_FLAG_HAS_RESIDUAL)) == 0, mlc_conv2d_record, flags);
  MLC_REQUIRE(r->activation >= 0 && r->activation < MLC_ACTIVATION_COUNT, mlc_conv2d_record, activation);
  MLC_REQUIRE(r->output_gap >= 0 && (r->output_gap == 0 || r->groups == 1), mlc_conv2d_record, output_gap);
  MLC_REQUIRE(r->weights_type >= 0 && r->weights_type < MLC_WEIGHTS_TYPE_COUNT, mlc_conv2d_record, weights_type);
  const mlc_extent input =
      mlc_extent_of(r->input, count_of(r->batch, r->input_height, r->input_width, r->input_channels), 4);
  const uint64_t pixels = count_of(r->batch, r->output_height, r->output_width, 1);
  const mlc_extent output = mlc_rows_extent(r->output, pixels, r->output_channels, r->output_gap);
  uint64_t weight_count = mlc_times(mlc_packed_columns(r->output_channels / r->groups), r->groups);
  weight_count = mlc_times(mlc_times(weight_count, r->kernel_height), r->kernel_width);
  weight_count = mlc_times(weight_count, r->input_channels / r->groups);
  const mlc_extent weights =
      mlc_extent_of(r->weights, weight_count, (int32_t)mlc_weight_size_bytes(r->weights_type));
  MLC_REQUIRE(mlc_fits(input, memory, 4), mlc_conv2d_record, input);
  MLC_REQUIRE(mlc_fits(weights, memory, MLC_ALIGNMENT_BYTES), mlc_conv2d_record, weights);
  MLC_REQUIRE(mlc_fits(output, memory, 4), mlc_conv2d_record, output);
  MLC_REQUIRE(mlc_apart(input, output) && mlc_apart(weights, output), mlc_conv2d_record, output);
  MLC_REQUIRE(mlc_scales_fit(r->weights_type, r->weight_scales, r->output_channels, output, memory), mlc_conv2d_record,
              weight_scales);
  if (r->flags & MLC_FLAG_HAS_BIAS) {
    const mlc_extent bias = mlc_extent_of(r->bias, (uint64_t)r->output_channels, 4);
    MLC_REQUIRE(mlc_fits(bias, memory, 4) && mlc_apart(bias, output), mlc_conv2d_record, bias);
  }
  if (r->flags & MLC_FLAG_HAS_RESIDUAL) {
    const mlc_extent residual = {r->residual, r->residual + (output.end - output.start)};
    MLC_REQUIRE(mlc_fits(residual, memory, 4), mlc_conv2d_record, residual);
    MLC_REQUIRE(mlc_apart_or_same(residual, output), mlc_conv2d_record, residual);
  }
  return MLC_RECORD_OK;
}

int32_t mlc_check_depthwise_conv2d(const mlc_depthwise_conv2d_record *r, uint64_t memory) {
  CHECK_GEOMETRY(mlc_depthwise_conv2d_record);
  POSITIVE(mlc_depthwise_conv2d_record, channels);
  MLC_REQUIRE((r->flags & ~MLC_FLAG_HAS_BIAS) == 0, mlc_depthwise_conv2d_record, flags);
  MLC_REQUIRE(r->activation >= 0 && r->activation < MLC_ACTIVATION_COUNT, mlc_depthwise_conv2d_record, activation);
  const mlc_extent input =
      mlc_extent_of(r->input, count_of(r->batch, r->input_height, r->input_width, r->channels), 4);
  const mlc_extent output =
      mlc_extent_of(r->output, count_of(r->batch, r->output_height, r->output_width, r->channels), 4);
  const uint64_t weight_count =
      mlc_times(mlc_times(mlc_packed_columns(r->channels), r->kernel_height), r->kernel_width);
  const mlc_extent weights = mlc_extent_of(r->weights, weight_count, 4);
  MLC_REQUIRE(mlc_fits(input, memory, 4), mlc_depthwise_conv2d_record, input);
  MLC_REQUIRE(mlc_fits(weights, memory, MLC_ALIGNMENT_BYTES), mlc_depthwise_conv2d_record, weights);
  MLC_REQUIRE(mlc_fits(output, memory, 4), mlc_depthwise_conv2d_record, output);
  MLC_REQUIRE(mlc_apart(input, output) && mlc_apart(weights, output), mlc_depthwise_conv2d_record, output);
  if (r->flags & MLC_FLAG_HAS_BIAS) {
    const mlc_extent bias = mlc_extent_of(r->bias, (uint64_t)r->channels, 4);
    MLC_REQUIRE(mlc_fits(bias, memory, 4) && mlc_apart(bias, output), mlc_depthwise_conv2d_record, bias);
  }
  return MLC_RECORD_OK;
}

int32_t mlc_check_pool2d(const mlc_pool2d_record *r, uint64_t memory) {
  CHECK_GEOMETRY(mlc_pool2d_record);
  POSITIVE(mlc_pool2d_record, channels);
  NOT_NEGATIVE(mlc_pool2d_record, pad_bottom);
  NOT_NEGATIVE(mlc_pool2d_record, pad_right);
  MLC_REQUIRE(r->pool >= 0 && r->pool < MLC_POOL_COUNT, mlc_pool2d_record, pool);
  MLC_REQUIRE(r->count_include_pad == 0 || r->count_include_pad == 1, mlc_pool2d_record, count_include_pad);
  const mlc_extent input =
      mlc_extent_of(r->input, count_of(r->batch, r->input_height, r->input_width, r->channels), 4);
  const mlc_extent output =
      mlc_extent_of(r->output, count_of(r->batch, r->output_height, r->output_width, r->channels), 4);
  MLC_REQUIRE(mlc_fits(input, memory, 4), mlc_pool2d_record, input);
  MLC_REQUIRE(mlc_fits(output, memory, 4), mlc_pool2d_record, output);
  MLC_REQUIRE(mlc_apart(input, output), mlc_pool2d_record, output);
  return MLC_RECORD_OK;
}
