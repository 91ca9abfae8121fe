/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise steps over bytes, vectorized for one instruction set; the same bits on each. */
#ifndef MLC_I8_ELEMENTS_H
#define MLC_I8_ELEMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "../abi.generated.h"

typedef void (*i8_quantize_fn)(const mlc_quantize_record *record, const float *input, uint8_t *output, uint32_t count);
typedef void (*i8_dequantize_fn)(const mlc_dequantize_record *record, const uint8_t *input, float *output, uint32_t count);
typedef void (*i8_add_fn)(const mlc_quantized_add_record *record, const uint8_t *a, const uint8_t *b, uint8_t *output,
                          uint32_t count);
/* output[c] = the larger of output[c] and input[c] */
typedef void (*i8_raise_fn)(const uint8_t *input, uint8_t *output, uint32_t count);

#endif
