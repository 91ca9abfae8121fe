/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing that was written stays, wherever it lies; and what lies beside is left alone. */
#include "../src/core/wipe.h"
#include "test.h"

#define MOST_FLOATS 5000

static void test_bits(uint32_t bits, size_t at, size_t count) {
  static uint32_t words[MOST_FLOATS + 2];
  memset(words, 0, sizeof words);
  words[0] = words[count + 1] = 1;
  words[1 + at] = bits;
  mlc_wipe_floats((float *)(void *)(words + 1), count);
  CHECK(words[1 + at] == 0, "%08x stays at %zu of %zu", bits, at, count);
  CHECK(words[0] == 1 && words[count + 1] == 1, "wiping %zu floats reaches beyond them", count);
}

static void test_after_steps(const mlc_kernel_set *kernels) {
  const uint32_t worker_count = 3;
  const size_t floats = worker_count * (size_t)MLC_SCRATCH_FLOAT_COUNT;
  mlc_context *context = make_context(kernels, 64, worker_count);
  memset(context->scratch, 0, floats * sizeof(float));
  memset(context->shared_scratch, 0, MLC_SHARED_SCRATCH_FLOAT_COUNT * sizeof(float));
  CHECK(mlc_self_test(context) == 0, "self-test");
  int is_used = 0;
  for (size_t i = 0; i < floats; i++) is_used |= mlc_float_bits(context->scratch[i]) != 0;
  CHECK(is_used, "the self-test leaves nothing to wipe");
  mlc_wipe_floats(context->scratch, floats);
  mlc_wipe_floats(context->shared_scratch, MLC_SHARED_SCRATCH_FLOAT_COUNT);
  uint32_t left = 0;
  for (size_t i = 0; i < floats; i++) left |= mlc_float_bits(context->scratch[i]);
  for (size_t i = 0; i < MLC_SHARED_SCRATCH_FLOAT_COUNT; i++) left |= mlc_float_bits(context->shared_scratch[i]);
  CHECK(left == 0, "something stays in the scratch of %s", mlc_kernel_set_isa(kernels));
  free_context(context);
}

void test_wipe(void) {
  static const size_t counts[] = {1, 3, 4, 7, 1023, 1024, 1025, 2048, MOST_FLOATS};
  for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
    for (size_t at = 0; at < counts[c]; at += at < 40 || counts[c] - at < 40 ? 1 : 17) {
      test_bits(0x80000000u, at, counts[c]); /* the zero that is not all zero bits */
      test_bits(1u << (at % 32), at, counts[c]);
    }
  }
  for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) test_after_steps(*sets);
}
