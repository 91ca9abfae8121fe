/* SPDX-License-Identifier: Apache-2.0 */
/* Plain loops with sums in double: what a record should give, and by how much a float kernel may differ. */
#ifndef MLC_REFERENCE_H
#define MLC_REFERENCE_H

#include "../src/weights/weights.h"
#include "test.h"

typedef struct {
  uint32_t count;
  uint32_t output; /* byte address of the first float, or byte */
  int is_bytes;    /* then every one has to be right */
  double *expected, *tolerance;
} reference_answer;

/* For every record type but copy and fill. The arrays have room for `count` floats, at most the memory's. */
void reference_run(const uint8_t *memory, const int32_t record[MLC_RECORD_WORD_COUNT], reference_answer *answer);

/* What a float16 stands for, from its definition. */
float reference_half(uint16_t bits);

/* One of the weights at `weights`, which stand in the column whose scale is `column` of `scales`. */
float reference_weight(const uint8_t *memory, int32_t type, uint32_t weights, int32_t index, uint32_t scales,
                       int32_t column);

/* Makes finite numbers of what lies among the float16 weights of a record. */
void settle_weights(uint8_t *memory, const int32_t record[MLC_RECORD_WORD_COUNT]);

/* Elements of the weights of a record that has some, else 0. */
uint32_t weight_count_of(const int32_t record[MLC_RECORD_WORD_COUNT]);

/* The part of it for steps over bytes. */
void reference_run_quantized(const uint8_t *memory, const int32_t record[MLC_RECORD_WORD_COUNT],
                             reference_answer *answer);

/* Fills a valid record of this opcode over a memory of `size_bytes`, at least 64 KiB. */
void random_record(int32_t opcode, uint32_t size_bytes, int32_t record[MLC_RECORD_WORD_COUNT]);

#endif
