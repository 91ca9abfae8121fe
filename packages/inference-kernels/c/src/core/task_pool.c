/* SPDX-License-Identifier: Apache-2.0 */
#include "task_pool.h"

#include "platform.h"

/*
 * How much longer a thread looks for work in the midst of a query, where waking it takes longer than many a step. Not for ever: it
 * may have been woken on the very core that the caller computes on, and the system would leave it there for milliseconds.
 */
#define ACTIVE_FACTOR 4

/*
 * Tasks per worker up to which a loop wakes nobody. Kernels cut no loop that is not worth a thread; one task for each is left
 * to whoever is awake.
 */
#define QUIET_TASKS 1

/* First task of a worker's share. */
static uint32_t share_start(const mlc_task_pool *pool, uint32_t task_count, uint32_t worker) {
  return (uint32_t)((uint64_t)task_count * worker / pool->worker_count);
}

/*
 * A worker's own share first: steps that follow one another cut images alike, so that what it reads is what it wrote, in its
 * own cache. Then what others have not come to.
 */
static void take_tasks(mlc_task_pool *pool, uint32_t worker) {
  for (uint32_t i = 0; i < pool->worker_count; i++) {
    const uint32_t owner = (worker + i) % pool->worker_count;
    uint64_t ticket = atomic_load(&pool->shares[owner].ticket);
    while ((uint32_t)ticket != 0) {
      if (!atomic_compare_exchange_weak(&pool->shares[owner].ticket, &ticket, ticket - 1)) continue;
      const uint32_t end = share_start(pool, pool->task_count, owner + 1);
      pool->task(pool->argument, end - (uint32_t)ticket, worker);
      atomic_fetch_add(&pool->done_count, 1);
      ticket = atomic_load(&pool->shares[owner].ticket);
    }
  }
}

void mlc_task_pool_begin(mlc_task_pool *pool, uint32_t worker_count, mlc_pool_system system) {
  pool->worker_count = worker_count;
  pool->system = system;
}

void mlc_task_pool_serve(mlc_task_pool *pool, uint32_t worker) {
  const mlc_pool_system *system = &pool->system;
  uint32_t seen_loop = 0;
  while (!atomic_load(&pool->stopping)) {
    for (uint32_t i = 0; atomic_load(&pool->loop) == seen_loop; i++) {
      if (i >= system->spin_count * (atomic_load(&pool->is_active) ? ACTIVE_FACTOR : 1)) break;
      MLC_PAUSE();
    }
    if (atomic_load(&pool->loop) == seen_loop) {
      /* Counted first: whoever begins a loop after the look into the word that sleep takes sees the sleeper. */
      atomic_fetch_add(&pool->sleeper_count, 1);
      system->sleep(system->argument, &pool->loop, seen_loop);
      atomic_fetch_sub(&pool->sleeper_count, 1);
    }
    seen_loop = atomic_load(&pool->loop);
    take_tasks(pool, worker);
  }
}

static void wake_sleepers(mlc_task_pool *pool) {
  if (atomic_load(&pool->sleeper_count) != 0) pool->system.wake(pool->system.argument, &pool->loop);
}

void mlc_task_pool_rest(mlc_task_pool *pool) { atomic_store(&pool->is_active, 0); }

void mlc_task_pool_run(void *argument, uint32_t task_count, mlc_task_fn task, void *task_argument) {
  mlc_task_pool *pool = argument;
  pool->task = task;
  pool->argument = task_argument;
  pool->task_count = task_count;
  atomic_store(&pool->done_count, 0);
  const uint32_t loop = atomic_load(&pool->loop) + 1;
  for (uint32_t i = 0; i < pool->worker_count; i++) {
    const uint32_t share = share_start(pool, task_count, i + 1) - share_start(pool, task_count, i);
    atomic_store(&pool->shares[i].ticket, (uint64_t)loop << 32 | share);
  }
  atomic_store(&pool->is_active, 1);
  atomic_store(&pool->loop, loop);
  if (task_count > pool->worker_count * QUIET_TASKS) wake_sleepers(pool);
  take_tasks(pool, 0);
  uint32_t done_count = atomic_load(&pool->done_count);
  for (uint32_t i = 0; done_count != task_count && !atomic_load(&pool->has_failed); i++) {
    MLC_PAUSE();
    if (i > pool->system.spin_count) pool->system.yield(pool->system.argument, &pool->done_count, done_count);
    done_count = atomic_load(&pool->done_count);
  }
}

void mlc_task_pool_stop(mlc_task_pool *pool) {
  atomic_store(&pool->is_active, 0);
  atomic_store(&pool->stopping, 1);
  atomic_fetch_add(&pool->loop, 1);
  wake_sleepers(pool);
}

void mlc_task_pool_fail(mlc_task_pool *pool) { atomic_store(&pool->has_failed, 1); }
