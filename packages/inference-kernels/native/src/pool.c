/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define SPIN_COUNT 4000

typedef struct {
  struct mlc_pool *pool;
  uint32_t worker;
  pthread_t thread;
} pool_thread;

struct mlc_pool {
  mlc_task_pool tasks;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  uint32_t thread_count;
  pool_thread threads[MLC_POOL_MAX_WORKERS - 1];
};

static void sleep_on(void *argument, _Atomic uint32_t *word, uint32_t value) {
  mlc_pool *pool = argument;
  pthread_mutex_lock(&pool->mutex);
  while (atomic_load(word) == value) pthread_cond_wait(&pool->wake, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}

static void wake_all(void *argument, _Atomic uint32_t *word) {
  (void)word; /* they look for themselves */
  mlc_pool *pool = argument;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

static void yield(void *argument, _Atomic uint32_t *word, uint32_t value) {
  (void)argument;
  (void)word;
  (void)value;
  sched_yield();
}

static void *thread_main(void *argument) {
  const pool_thread *self = argument;
  mlc_task_pool_serve(&self->pool->tasks, self->worker);
  return NULL;
}

void mlc_pool_rest(mlc_pool *pool) { mlc_task_pool_rest(&pool->tasks); }

void mlc_pool_run(void *pool, uint32_t task_count, mlc_task_fn task, void *argument) {
  mlc_task_pool_run(&((mlc_pool *)pool)->tasks, task_count, task, argument);
}

mlc_pool *mlc_pool_create(uint32_t worker_count) {
  mlc_pool *pool = aligned_alloc(_Alignof(mlc_pool), sizeof *pool);
  if (pool == NULL) return NULL;
  memset(pool, 0, sizeof *pool);
  const mlc_pool_system system = {sleep_on, wake_all, yield, pool, SPIN_COUNT};
  mlc_task_pool_begin(&pool->tasks, worker_count, system);
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
  mlc_task_pool_stop(&pool->tasks);
  for (uint32_t i = 0; i < pool->thread_count; i++) pthread_join(pool->threads[i].thread, NULL);
  pthread_mutex_destroy(&pool->mutex);
  pthread_cond_destroy(&pool->wake);
  free(pool);
}
