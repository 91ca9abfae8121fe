/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() ((void)0)
#endif

/* The steps of a query follow one another within microseconds: a worker waits that long before it sleeps. */
#define SPIN_COUNT 4000

typedef struct {
  struct mlc_pool *pool;
  uint32_t worker;
  pthread_t thread;
} pool_thread;

struct mlc_pool {
  /*
   * High half: number of the loop; low half: tasks not yet taken. One compare-and-swap takes a task of one certain
   * loop, so a worker that wakes late can neither run an old task nor hold up the next loop.
   */
  _Atomic uint64_t ticket;
  _Atomic uint32_t done_count;
  _Atomic uint32_t sleeper_count;
  _Atomic int stopping;
  mlc_task_fn task;
  void *argument;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  uint32_t thread_count;
  pool_thread threads[MLC_POOL_MAX_WORKERS - 1];
};

static void take_tasks(mlc_pool *pool, uint32_t worker) {
  uint64_t ticket = atomic_load(&pool->ticket);
  while ((uint32_t)ticket != 0) {
    if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket - 1)) continue;
    pool->task(pool->argument, (uint32_t)ticket - 1, worker);
    atomic_fetch_add(&pool->done_count, 1);
    ticket = atomic_load(&pool->ticket);
  }
}

static int has_work(mlc_pool *pool) {
  return (uint32_t)atomic_load(&pool->ticket) != 0 || atomic_load(&pool->stopping);
}

static void *thread_main(void *argument) {
  const pool_thread *self = argument;
  mlc_pool *pool = self->pool;
  while (!atomic_load(&pool->stopping)) {
    for (int i = 0; i < SPIN_COUNT && !has_work(pool); i++) PAUSE();
    if (!has_work(pool)) {
      pthread_mutex_lock(&pool->mutex);
      atomic_fetch_add(&pool->sleeper_count, 1);
      while (!has_work(pool)) pthread_cond_wait(&pool->wake, &pool->mutex);
      atomic_fetch_sub(&pool->sleeper_count, 1);
      pthread_mutex_unlock(&pool->mutex);
    }
    take_tasks(pool, self->worker);
  }
  return NULL;
}

static void wake_sleepers(mlc_pool *pool) {
  if (atomic_load(&pool->sleeper_count) == 0) return;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

void mlc_pool_run(void *argument, uint32_t task_count, mlc_task_fn task, void *task_argument) {
  mlc_pool *pool = argument;
  pool->task = task;
  pool->argument = task_argument;
  atomic_store(&pool->done_count, 0);
  const uint64_t loop = (atomic_load(&pool->ticket) >> 32) + 1;
  atomic_store(&pool->ticket, loop << 32 | task_count);
  wake_sleepers(pool);
  take_tasks(pool, 0);
  for (int i = 0; atomic_load(&pool->done_count) != task_count; i++) {
    PAUSE();
    if (i > SPIN_COUNT) sched_yield();
  }
}

mlc_pool *mlc_pool_create(uint32_t worker_count) {
  mlc_pool *pool = calloc(1, sizeof *pool);
  if (pool == NULL) return NULL;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  for (uint32_t i = 0; i + 1 < worker_count; i++) {
    pool_thread *thread = &pool->threads[i];
    thread->pool = pool;
    thread->worker = i + 1;
    if (pthread_create(&thread->thread, NULL, thread_main, thread) != 0) {
      mlc_pool_destroy(pool);
      return NULL;
    }
    pool->thread_count = i + 1;
  }
  return pool;
}

void mlc_pool_destroy(mlc_pool *pool) {
  atomic_store(&pool->stopping, 1);
  wake_sleepers(pool);
  for (uint32_t i = 0; i < pool->thread_count; i++) pthread_join(pool->threads[i].thread, NULL);
  pthread_mutex_destroy(&pool->mutex);
  pthread_cond_destroy(&pool->wake);
  free(pool);
}
