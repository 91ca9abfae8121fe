/* SPDX-License-Identifier: Apache-2.0 */
/* One word of a valid conv2d record changed, and the word that the check must blame. */
#ifndef MLC_CHECK_CASES_H
#define MLC_CHECK_CASES_H

#include "../src/core/check.h"

#define CONV(field) MLC_WORD(mlc_conv2d_record, field)

static const struct {
  int32_t change, value, refused;
} check_cases[] = {
    {0, 0, 0},
    {0, 16, 0},
    {0, -1, 0},
    {63, 1, 63},
    {CONV(reserved), -1, CONV(reserved)},
    {CONV(batch), 0, CONV(batch)},
    {CONV(batch), -1, CONV(batch)},
    {CONV(batch), INT32_MAX, CONV(input)},
    {CONV(input_height), 4096, CONV(input)},
    {CONV(output_channels), 4096, CONV(weights)},
    {CONV(kernel_height), INT32_MAX, CONV(weights)},
    {CONV(kernel_width), 0, CONV(kernel_width)},
    {CONV(stride_height), 0, CONV(stride_height)},
    {CONV(stride_width), -2, CONV(stride_width)},
    {CONV(dilation_height), 0, CONV(dilation_height)},
    {CONV(pad_top), -1, CONV(pad_top)},
    {CONV(pad_left), INT32_MIN, CONV(pad_left)},
    {CONV(groups), 0, CONV(groups)},
    {CONV(groups), 3, CONV(groups)},
    {CONV(flags), 4, CONV(flags)},
    {CONV(flags), -1, CONV(flags)},
    {CONV(activation), MLC_ACTIVATION_COUNT, CONV(activation)},
    {CONV(activation), -1, CONV(activation)},
    {CONV(output_gap), -1, CONV(output_gap)},
    {CONV(output_gap), 1024, CONV(output)},
    {CONV(output_gap), INT32_MAX, CONV(output)},
    {CONV(input), 2, CONV(input)},
    {CONV(input), 16380, CONV(input)},
    {CONV(input), -4, CONV(input)},
    {CONV(weights), 1028, CONV(weights)},
    {CONV(weights), 16384, CONV(weights)},
    {CONV(output), 16384 - 508, CONV(output)},
    {CONV(output), 0, CONV(output)},
    {CONV(output), 1024, CONV(output)},
    {CONV(output), 4096 - 256, CONV(bias)},
    {CONV(output), 8192 + 4, CONV(residual)},
    {CONV(output), -64, CONV(output)},
    {CONV(bias), 16380, CONV(bias)},
    {CONV(bias), 4097, CONV(bias)},
    {CONV(residual), 5120 + 64, CONV(residual)},
    {CONV(residual), -1, CONV(residual)},
    {CONV(weights_type), MLC_WEIGHTS_TYPE_COUNT, CONV(weights_type)},
    {CONV(weights_type), -1, CONV(weights_type)},
    {CONV(weights_type), MLC_WEIGHTS_TYPE_I8, MLC_RECORD_OK},
    {CONV(weight_scales), -1, MLC_RECORD_OK},
    {CONV(pad_top), INT32_MAX, MLC_RECORD_OK},
    {CONV(dilation_width), INT32_MAX, MLC_RECORD_OK},
    {CONV(stride_height), INT32_MAX, MLC_RECORD_OK},
    {CONV(residual), 5120, MLC_RECORD_OK},
};

#endif
