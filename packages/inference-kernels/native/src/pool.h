/* SPDX-License-Identifier: Apache-2.0 */
/* A task pool on threads of the system. */
#ifndef MLC_POOL_H
#define MLC_POOL_H

#include <stdint.h>

#include "core/task_pool.h"

typedef struct mlc_pool mlc_pool;

/* worker_count - 1 threads, 2 <= worker_count <= MLC_POOL_MAX_WORKERS. NULL where they cannot be had. */
mlc_pool *mlc_pool_create(uint32_t worker_count);
/* As mlc_task_pool_run. */
void mlc_pool_run(void *pool, uint32_t task_count, mlc_task_fn task, void *argument);
/* As mlc_task_pool_rest. */
void mlc_pool_rest(mlc_pool *pool);
void mlc_pool_destroy(mlc_pool *pool);

#endif
