/* SPDX-License-Identifier: Apache-2.0 */
/* The C test runner: compiled with sanitizers, run by src/native/build.test.ts. Prints one line per group. */
#ifndef MLC_TEST_H
#define MLC_TEST_H

#define _POSIX_C_SOURCE 200112L /* posix_memalign */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/core/context.h"

extern int test_failures;

#define CHECK(condition, ...)                                                    \
  do {                                                                           \
    if (!(condition)) {                                                          \
      if (test_failures++ < 20) {                                                \
        printf("FAIL %s:%d: ", strrchr(__FILE__, '/') + 1, __LINE__);            \
        printf(__VA_ARGS__);                                                     \
        printf("\n");                                                            \
      }                                                                          \
    }                                                                            \
  } while (0)

/* xorshift: the same numbers everywhere. */
uint32_t random_u32(void);
uint32_t random_below(uint32_t bound);
float random_float(void); /* -1 .. 1 */
void random_seed(uint32_t seed);

/* A context whose memory has exactly `size_bytes`, so that the sanitizer sees one byte too far. */
mlc_context *make_context(const mlc_kernel_set *kernels, uint64_t size_bytes, uint32_t worker_count);
void free_context(mlc_context *context);

/* Runs tasks from the last to the first, on changing workers: order and sharing must not show. */
void parallel_backwards(void *pool, uint32_t task_count, mlc_task_fn task, void *argument);

void test_math(void);
void test_products(void);
void test_splits(void);
void test_windows(void);
void test_quantized(void);
void test_winograd(void);
void test_weights(void);
void test_elements(void);
void test_wipe(void);
void test_checks(void);
void test_hostile(uint32_t rounds);

#endif
