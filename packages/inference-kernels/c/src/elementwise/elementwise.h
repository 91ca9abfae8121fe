/* SPDX-License-Identifier: Apache-2.0 */
/* Functions applied element by element. Same bits on every instruction set: no fused operations anywhere in here. */
#ifndef MLC_ELEMENTWISE_H
#define MLC_ELEMENTWISE_H

#include <stddef.h>
#include <stdint.h>

/* to[i] = unary(from[i]); `to` may be `from`. */
typedef void (*f32_unary_fn)(int32_t unary, float alpha, float beta, const float *from, float *to, size_t count);

/* to[i] = binary(a[i*a_stride], b[i*b_stride]); `to` may be an operand whose stride is 1. */
typedef void (*f32_binary_fn)(int32_t binary, const float *a, size_t a_stride, const float *b, size_t b_stride,
                              float *to, size_t count);

/* values[i] = activation(values[i]). */
typedef void (*f32_activate_fn)(int32_t activation, float alpha, float beta, float *values, size_t count);

#endif
