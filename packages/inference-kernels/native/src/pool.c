/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() ((void)0)
#endif

/* Queries often follow one another at once: a worker looks for the next one that long before it sleeps. */
#define SPIN_COUNT 4000

typedef struct {
  struct mlc_pool *pool;
  uint32_t worker;
  pthread_t thread;
} pool_thread;

/*
 * Tasks that one worker takes first, front to back: its share of the loop. High half: number of the loop; low half: tasks not
 * yet taken. One compare-and-swap takes a task of one certain loop, so a worker that wakes late can neither run an old task
 * nor hold up the next loop. On a line of its own.
 */
typedef struct {
  _Alignas(64) _Atomic uint64_t ticket;
} pool_share;

struct mlc_pool {
  pool_share shares[MLC_POOL_MAX_WORKERS];
  _Atomic uint32_t loop;
  _Atomic uint32_t done_count;
  _Atomic uint32_t sleeper_count;
  _Atomic int stopping;
  /* From a loop to the next rest: workers do not sleep then, for waking one takes longer than many a step. */
  _Atomic int is_active;
  mlc_task_fn task;
  void *argument;
  uint32_t task_count;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  uint32_t worker_count, thread_count;
  pool_thread threads[MLC_POOL_MAX_WORKERS - 1];
};

/* First task of a worker's share. */
static uint32_t share_start(const mlc_pool *pool, uint32_t task_count, uint32_t worker) {
  return (uint32_t)((uint64_t)task_count * worker / pool->worker_count);
}

/*
 * A worker's own share first: steps that follow one another cut images alike, so that what it reads is what it wrote, in its
 * own cache. Then what others have not come to.
 */
static void take_tasks(mlc_pool *pool, uint32_t worker) {
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

/* Whether there is a loop that the worker has not seen, or an end. */
static int has_work(mlc_pool *pool, uint32_t seen_loop) {
  return atomic_load(&pool->loop) != seen_loop || atomic_load(&pool->stopping);
}

static void *thread_main(void *argument) {
  const pool_thread *self = argument;
  mlc_pool *pool = self->pool;
  uint32_t seen_loop = 0;
  while (!atomic_load(&pool->stopping)) {
    for (int i = 0; i < SPIN_COUNT && !has_work(pool, seen_loop); i = atomic_load(&pool->is_active) ? 0 : i + 1) PAUSE();
    if (!has_work(pool, seen_loop)) {
      pthread_mutex_lock(&pool->mutex);
      atomic_fetch_add(&pool->sleeper_count, 1);
      while (!has_work(pool, seen_loop) && !atomic_load(&pool->is_active)) pthread_cond_wait(&pool->wake, &pool->mutex);
      atomic_fetch_sub(&pool->sleeper_count, 1);
      pthread_mutex_unlock(&pool->mutex);
    }
    seen_loop = atomic_load(&pool->loop);
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

void mlc_pool_rest(mlc_pool *pool) { atomic_store(&pool->is_active, 0); }

void mlc_pool_run(void *argument, uint32_t task_count, mlc_task_fn task, void *task_argument) {
  mlc_pool *pool = argument;
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
  wake_sleepers(pool);
  take_tasks(pool, 0);
  for (int i = 0; atomic_load(&pool->done_count) != task_count; i++) {
    PAUSE();
    if (i > SPIN_COUNT) sched_yield();
  }
}

mlc_pool *mlc_pool_create(uint32_t worker_count) {
  mlc_pool *pool = aligned_alloc(_Alignof(mlc_pool), sizeof *pool);
  if (pool == NULL) return NULL;
  memset(pool, 0, sizeof *pool);
  pool->worker_count = worker_count;
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
