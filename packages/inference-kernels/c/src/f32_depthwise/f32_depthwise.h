/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f32_depthwise: one row of output pixels of a depthwise convolution, NHWC, or two that follow one another.
 * input: one image [inputHeight][inputWidth][channels]; output: [rowCount][outputWidth][channels]; weights: [ceil(channels/16)]
 * [taps][16], 64-byte aligned; bias [channels] or NULL. `input_end` is one past the last float that may be read: lanes
 * past `channels` are computed from whatever lies there and never stored.
 * The sum starts with the bias and takes the taps in row-major order, so tiles do not change its bits.
 */
#ifndef MLC_F32_DEPTHWISE_H
#define MLC_F32_DEPTHWISE_H

#include "../abi.generated.h"

typedef struct {
  const mlc_depthwise_conv2d_record *record;
  const float *input, *input_end, *weights, *bias;
  float *output;
  uint32_t output_row, row_count; /* two rows only of a 3x3 kernel with stride 1 and no dilation */
  float clamp_min, clamp_max; /* -infinity, infinity: none. NaN stays NaN. */
} f32_depthwise_row_args;

typedef void (*f32_depthwise_row_fn)(const f32_depthwise_row_args *args);

#define MLC_F32_DEPTHWISE(name) void name(const f32_depthwise_row_args *args);
#include "f32_depthwise.def"
#undef MLC_F32_DEPTHWISE

#endif
