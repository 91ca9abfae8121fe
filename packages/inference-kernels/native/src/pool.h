/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that share the tasks of one parallel loop at a time. The caller is worker 0 and works along. */
#ifndef MLC_POOL_H
#define MLC_POOL_H

#include <stdint.h>

#include "mlc.h"

#define MLC_POOL_MAX_WORKERS 64

typedef struct mlc_pool mlc_pool;

/* worker_count - 1 threads, 2 <= worker_count <= MLC_POOL_MAX_WORKERS. NULL where they cannot be had. */
mlc_pool *mlc_pool_create(uint32_t worker_count);
/* An mlc_parallel_fn. One caller at a time. Workers then stay awake for further loops until mlc_pool_rest. */
void mlc_pool_run(void *pool, uint32_t task_count, mlc_task_fn task, void *argument);
/* No loop follows soon. */
void mlc_pool_rest(mlc_pool *pool);
void mlc_pool_destroy(mlc_pool *pool);

#endif
