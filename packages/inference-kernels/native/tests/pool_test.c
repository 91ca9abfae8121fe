/* SPDX-License-Identifier: Apache-2.0 */
/* The thread pool under the thread sanitizer: every task once, no worker number twice at a time, nothing left over. */
#include "pool.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_TASKS 200

static struct {
  uint32_t plain[MAX_TASKS]; /* not atomic: the sanitizer sees a task run twice, or a loop that returns too early */
  _Atomic int busy[MLC_POOL_MAX_WORKERS];
  _Atomic int failures;
} state;

static void task(void *argument, uint32_t index, uint32_t worker) {
  const uint32_t *worker_count = argument;
  if (worker >= *worker_count || atomic_exchange(&state.busy[worker], 1) != 0) state.failures++;
  state.plain[index]++;
  atomic_store(&state.busy[worker], 0);
}

int main(void) {
  for (uint32_t workers = 2; workers <= 5; workers++) {
    mlc_pool *pool = mlc_pool_create(workers);
    if (pool == NULL) return 2;
    for (uint32_t loop = 0; loop < 3000; loop++) {
      const uint32_t count = loop * 7 % MAX_TASKS + 1;
      memset(state.plain, 0, sizeof state.plain);
      mlc_pool_run(pool, count, task, &workers);
      if (loop % 100 >= 50) mlc_pool_rest(pool);
      for (uint32_t i = 0; i < MAX_TASKS; i++) {
        if (state.plain[i] != (i < count)) state.failures++;
      }
      if (loop % 500 == 0) usleep(2000); /* long enough for the workers to fall asleep */
    }
    mlc_pool_destroy(pool);
  }
  printf("%d failures\n", (int)state.failures);
  return state.failures == 0 ? 0 : 1;
}
