/* SPDX-License-Identifier: Apache-2.0 */
/* What makes random records, shared by its two files. */
#ifndef MLC_RANDOM_QUANTIZED_H
#define MLC_RANDOM_QUANTIZED_H

#include "reference.h"

/* Hands out the memory front to back; every tensor gets a random gap in front of it. */
typedef struct {
  uint32_t at, size;
} random_room;

/* Address of so many floats, or bytes; UINT32_MAX where there is no room. */
uint32_t random_take(random_room *r, uint64_t float_count, uint32_t alignment);
uint32_t random_bytes(random_room *r, uint64_t byte_count);

int32_t random_between(uint32_t low, uint32_t high);
/* One, or a size that crosses tiles. */
int32_t random_some(uint32_t high);
/* Kernel, stride, padding and dilation of one axis, and the output size that follows; 0 where none fits. */
int32_t random_axis(int32_t input, int32_t *kernel, int32_t *stride, int32_t *before, int32_t *after, int32_t *dilation);

/*
 * Sizes of an image of at most so many rows and columns, and of the windows over it, for a record of any of their kinds.
 * below, right: where the padding behind goes
 */
#define RANDOM_WINDOWS(r, most_height, most_width, below, right)                                                   \
  do {                                                                                                             \
    (r)->batch = random_some(2);                                                                                   \
    (r)->input_height = random_some(most_height);                                                                  \
    (r)->input_width = random_some(most_width);                                                                    \
    (r)->output_height = random_axis((r)->input_height, &(r)->kernel_height, &(r)->stride_height, &(r)->pad_top,   \
                                     below, &(r)->dilation_height);                                                \
    (r)->output_width = random_axis((r)->input_width, &(r)->kernel_width, &(r)->stride_width, &(r)->pad_left,      \
                                    right, &(r)->dilation_width);                                                  \
  } while (0)

/* Groups and the channels of each; the result has at most so many in a group. */
#define RANDOM_GROUPS(r, most_outputs)                               \
  do {                                                               \
    (r)->groups = random_below(3) == 0 ? random_between(2, 4) : 1;   \
    (r)->input_channels = random_some(24) * (r)->groups;             \
    (r)->output_channels = random_some(most_outputs) * (r)->groups;  \
  } while (0)

int random_quantized_conv(random_room *m, mlc_quantized_conv2d_record *r);
int random_quantized_pool(random_room *m, mlc_quantized_max_pool2d_record *r);
/* quantize, dequantize, quantizedAdd */
int random_conversion(random_room *m, int32_t *record);

#endif
