/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that share the tasks of one parallel loop at a time. The caller is worker 0 and works along. How a thread is made
 * and how it sleeps is the system's affair: the pool needs atomic words, and these three functions.
 */
#ifndef MLC_TASK_POOL_H
#define MLC_TASK_POOL_H

#include <stdatomic.h>
#include <stdint.h>

#include "../mlc.h"

#define MLC_POOL_MAX_WORKERS 64

typedef struct {
  /* Returns when the word does not hold the value any more; may return earlier. */
  void (*sleep)(void *argument, _Atomic uint32_t *word, uint32_t value);
  /* Ends the sleep of all on this word. */
  void (*wake)(void *argument, _Atomic uint32_t *word);
  /* Lets others have the core for a moment: the word will change before long. */
  void (*yield)(void *argument, _Atomic uint32_t *word, uint32_t value);
  void *argument;
  /* Looks at a word before sleep or yield: queries often follow one another at once. */
  uint32_t spin_count;
} mlc_pool_system;

/*
 * Tasks that one worker takes first, front to back: its share of the loop. High half: number of the loop; low half: tasks not
 * yet taken. One compare-and-swap takes a task of one certain loop, so a worker that wakes late can neither run an old task
 * nor hold up the next loop. On a line of its own.
 */
typedef struct {
  _Alignas(64) _Atomic uint64_t ticket;
} mlc_pool_share;

typedef struct {
  mlc_pool_share shares[MLC_POOL_MAX_WORKERS];
  _Alignas(64) _Atomic uint32_t loop; /* what threads look at, apart from what changes as they work */
  /* From a loop to the next rest: workers look longer for work before they sleep. */
  _Atomic uint32_t is_active;
  _Atomic uint32_t stopping;
  _Atomic uint32_t has_failed;
  _Alignas(64) _Atomic uint32_t done_count;
  _Atomic uint32_t sleeper_count;
  mlc_task_fn task;
  void *argument;
  uint32_t task_count, worker_count;
  mlc_pool_system system;
} mlc_task_pool;

/* For memory that is zero; worker_count - 1 threads are to serve it, 2 <= worker_count <= MLC_POOL_MAX_WORKERS. */
void mlc_task_pool_begin(mlc_task_pool *pool, uint32_t worker_count, mlc_pool_system system);
/* What a thread does until mlc_task_pool_stop. Loops need no thread to be here: the others take its tasks. */
void mlc_task_pool_serve(mlc_task_pool *pool, uint32_t worker);
/* An mlc_parallel_fn. One caller at a time. Workers then look for further loops until mlc_task_pool_rest, and a while longer. */
void mlc_task_pool_run(void *pool, uint32_t task_count, mlc_task_fn task, void *argument);
/* No loop follows soon. */
void mlc_task_pool_rest(mlc_task_pool *pool);
void mlc_task_pool_stop(mlc_task_pool *pool);
/* A thread was lost, maybe with a task in hand: nobody waits for tasks any more, and results of this pool are void. */
void mlc_task_pool_fail(mlc_task_pool *pool);

#endif
