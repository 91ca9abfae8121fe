/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

int test_failures = 0;

static uint32_t state = 1;

void random_seed(uint32_t seed) { state = seed * 2654435761u + 1u; }

uint32_t random_u32(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

uint32_t random_below(uint32_t bound) { return (uint32_t)(((uint64_t)random_u32() * bound) >> 32); }
float random_float(void) { return (float)random_u32() / 2147483648.0f - 1.0f; }

void parallel_backwards(void *pool, uint32_t task_count, mlc_task_fn task, void *argument) {
  const uint32_t workers = *(const uint32_t *)pool;
  for (uint32_t i = task_count; i-- > 0;) task(argument, i, i % workers);
}

mlc_context *make_context(const mlc_kernel_set *kernels, uint64_t size_bytes, uint32_t worker_count) {
  static uint32_t workers[8];
  mlc_context *context = calloc(1, sizeof *context);
  void *memory = NULL, *scratch = NULL, *shared_scratch = NULL;
  const size_t scratch_size = (size_t)worker_count * MLC_SCRATCH_FLOAT_COUNT * sizeof(float);
  const size_t shared_size = MLC_SHARED_SCRATCH_FLOAT_COUNT * sizeof(float);
  if (context == NULL || posix_memalign(&memory, 64, size_bytes) != 0 ||
      posix_memalign(&scratch, 64, scratch_size) != 0 || posix_memalign(&shared_scratch, 64, shared_size) != 0) {
    abort();
  }
  memset(memory, 0, size_bytes);
  memset(scratch, 0xff, scratch_size); /* NaN: what is read before it is written shows */
  memset(shared_scratch, 0xff, shared_size);
  context->memory = memory;
  context->memory_size_bytes = size_bytes;
  context->kernels = kernels;
  context->worker_count = worker_count;
  context->scratch = scratch;
  context->shared_scratch = shared_scratch;
  workers[worker_count] = worker_count;
  context->parallel = worker_count > 1 ? parallel_backwards : NULL;
  context->pool = &workers[worker_count];
  return context;
}

void free_context(mlc_context *context) {
  free(context->memory);
  free(context->scratch);
  free(context->shared_scratch);
  free(context);
}

static void test_self(void) {
  for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) {
    mlc_context *context = make_context(*sets, 64, 2);
    const uint32_t failed = mlc_self_test(context);
    CHECK(failed == 0, "self-test %u on %s", failed, mlc_kernel_set_isa(*sets));
    free_context(context);
  }
}

int main(int argument_count, char **arguments) {
  const uint32_t rounds = argument_count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 2000;
  printf("instruction sets:");
  for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) {
    printf(" %s", mlc_kernel_set_isa(*sets));
  }
  printf("\n");
  test_self();
  printf("self-test done\n");
  test_math();
  printf("math done\n");
  test_products();
  printf("products done\n");
  test_splits();
  printf("splits done\n");
  test_windows();
  printf("windows done\n");
  test_quantized();
  printf("quantized done\n");
  test_winograd();
  printf("winograd done\n");
  test_weights();
  printf("weights done\n");
  test_elements();
  printf("elements done\n");
  test_wipe();
  printf("wipe done\n");
  test_checks();
  printf("checks done\n");
  test_hostile(rounds);
  printf("hostile done\n");
  printf("%d failures\n", test_failures);
  return test_failures == 0 ? 0 : 1;
}
