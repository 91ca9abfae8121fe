/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLC_SOFTMAX_H
#define MLC_SOFTMAX_H

#include <stddef.h>
#include <stdint.h>

/*
 * Along the middle of [axis_count][inner_count], for columns start..end-1 of the inner dimension. `to` may be `from`.
 * Sums run in 16 lanes that are added in a fixed order, the same on every instruction set.
 */
typedef void (*f32_softmax_fn)(int32_t softmax, const float *from, float *to, size_t axis_count, size_t inner_count,
                               size_t start, size_t end);

#endif
