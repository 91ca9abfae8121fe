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

int random_quantized_conv(random_room *m, mlc_quantized_conv2d_record *r);
int random_quantized_pool(random_room *m, mlc_quantized_max_pool2d_record *r);
/* quantize, dequantize, quantizedAdd */
int random_conversion(random_room *m, int32_t *record);

#endif
