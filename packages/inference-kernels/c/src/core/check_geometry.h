/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of all records that slide a window over an image share. In them, `r` is the record. */
#ifndef MLC_CHECK_GEOMETRY_H
#define MLC_CHECK_GEOMETRY_H

#include "check.h"

#define POSITIVE(type, field) MLC_REQUIRE(r->field >= 1, type, field)
#define NOT_NEGATIVE(type, field) MLC_REQUIRE(r->field >= 0, type, field)

#define CHECK_GEOMETRY(type)            \
  POSITIVE(type, batch);                \
  POSITIVE(type, input_height);         \
  POSITIVE(type, input_width);          \
  POSITIVE(type, output_height);        \
  POSITIVE(type, output_width);         \
  POSITIVE(type, kernel_height);        \
  POSITIVE(type, kernel_width);         \
  POSITIVE(type, stride_height);        \
  POSITIVE(type, stride_width);         \
  NOT_NEGATIVE(type, pad_top);          \
  NOT_NEGATIVE(type, pad_left);         \
  POSITIVE(type, dilation_height);      \
  POSITIVE(type, dilation_width)

MLC_INLINE uint64_t count_of(int32_t batch, int32_t height, int32_t width, int32_t channels) {
  return mlc_times(mlc_times(mlc_times((uint64_t)batch, height), width), channels);
}

#endif
