/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f32_pool: one row of output pixels, NHWC. A maximum over a window that lies wholly in the padding is -infinity, an
 * average 0. A NaN inside the window makes the result NaN.
 */
#ifndef MLC_F32_POOL_H
#define MLC_F32_POOL_H

#include "../abi.generated.h"

typedef struct {
  const mlc_pool2d_record *record;
  const float *input; /* one image [inputHeight][inputWidth][channels] */
  float *output;      /* [outputWidth][channels] */
  uint32_t output_row;
} f32_pool_row_args;

typedef void (*f32_pool_row_fn)(const f32_pool_row_args *args);

#endif
