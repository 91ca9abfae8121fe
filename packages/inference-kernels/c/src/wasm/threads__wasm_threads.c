/* SPDX-License-Identifier: Apache-2.0 */
#include "threads.h"

#include "../core/task_pool.h"

/* Some 60 microseconds: there is no instruction here that makes a look cheaper for the rest of the core. */
#define SPIN_COUNT 100000
/* A task that is not done by now is far from done, or its thread has no core. */
#define YIELD_NANOSECONDS 50000

static mlc_task_pool pool;
static int caller_may_wait;

static void sleep_on(void *argument MLC_UNUSED, _Atomic uint32_t *word, uint32_t value) {
  __builtin_wasm_memory_atomic_wait32((int *)word, (int)value, -1);
}

static void wake_all(void *argument MLC_UNUSED, _Atomic uint32_t *word) {
  __builtin_wasm_memory_atomic_notify((int *)word, UINT32_MAX);
}

static void yield(void *argument MLC_UNUSED, _Atomic uint32_t *word, uint32_t value) {
  if (caller_may_wait) __builtin_wasm_memory_atomic_wait32((int *)word, (int)value, YIELD_NANOSECONDS);
}

uint32_t mlc_wasm_worker_count(void) { return pool.worker_count > 1 ? pool.worker_count : 1; }

void mlc_wasm_use_threads(mlc_context *context) {
  if (pool.worker_count < 2) return;
  context->parallel = mlc_task_pool_run;
  context->pool = &pool;
}

/* Before any thread serves. A page's own thread may not wait: the engine would trap. */
MLC_WASM_EXPORT(beginThreads) void mlc_wasm_begin_threads(uint32_t worker_count, uint32_t may_wait) {
  caller_may_wait = may_wait != 0;
  mlc_task_pool_begin(&pool, worker_count, (mlc_pool_system){sleep_on, wake_all, yield, NULL, SPIN_COUNT});
}

/* What a thread calls, on a stack of its own; comes back after stopThreads. */
MLC_WASM_EXPORT(serveThread) void mlc_wasm_serve_thread(uint32_t worker) { mlc_task_pool_serve(&pool, worker); }

/* Whether all tasks since beginThreads were done. No loop follows soon. */
MLC_WASM_EXPORT(restThreads) uint32_t mlc_wasm_rest_threads(void) {
  mlc_task_pool_rest(&pool);
  return !atomic_load(&pool.has_failed);
}

MLC_WASM_EXPORT(failThreads) void mlc_wasm_fail_threads(void) { mlc_task_pool_fail(&pool); }
MLC_WASM_EXPORT(stopThreads) void mlc_wasm_stop_threads(void) { mlc_task_pool_stop(&pool); }
