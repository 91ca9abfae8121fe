/* SPDX-License-Identifier: Apache-2.0 */
#include "wipe.h"

#define BLOCK_FLOATS 1024 /* a page of the machine's memory, in most places */

typedef uint32_t bits4 __attribute__((vector_size(16), aligned(4), may_alias));

static int is_zero(const float *values, size_t count) {
  bits4 seen = {0};
  size_t i = 0;
  for (; i + 4 <= count; i += 4) seen |= *(const bits4 *)(const void *)(values + i);
  uint32_t rest = seen[0] | seen[1] | seen[2] | seen[3];
  for (; i < count; i++) rest |= mlc_float_bits(values[i]);
  return rest == 0;
}

void mlc_wipe_floats(float *values, size_t count) {
  for (size_t i = 0; i < count; i += BLOCK_FLOATS) {
    const size_t block = count - i < BLOCK_FLOATS ? count - i : BLOCK_FLOATS;
    if (!is_zero(values + i, block)) mlc_zero_floats(values + i, block);
  }
}
