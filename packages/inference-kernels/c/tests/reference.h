/* SPDX-License-Identifier: Apache-2.0 */
/* Plain loops with sums in double: what a record should give, and by how much a float kernel may differ. */
#ifndef MLC_REFERENCE_H
#define MLC_REFERENCE_H

#include "test.h"

typedef struct {
  uint32_t count;
  uint32_t output; /* byte address of the first float, or byte */
  int is_bytes;    /* then every one has to be right */
  double *expected, *tolerance;
} reference_answer;

/* For every record type but copy and fill. The arrays have room for `count` floats, at most the memory's. */
void reference_run(const uint8_t *memory, const int32_t record[MLC_RECORD_WORD_COUNT], reference_answer *answer);

/* The part of it for steps over bytes. */
void reference_run_quantized(const uint8_t *memory, const int32_t record[MLC_RECORD_WORD_COUNT],
                             reference_answer *answer);

/* Fills a valid record of this opcode over a memory of `size_bytes`, at least 64 KiB. */
void random_record(int32_t opcode, uint32_t size_bytes, int32_t record[MLC_RECORD_WORD_COUNT]);

#endif
