/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels' public interface: check a record, run a record. Portable C11, no libc needed, no global state. */
#ifndef MLC_H
#define MLC_H

#include <stddef.h>
#include <stdint.h>

#include "abi.generated.h"

/* One task of a parallel loop. `worker` is below the context's worker_count and picks the scratch. */
typedef void (*mlc_task_fn)(void *argument, uint32_t task, uint32_t worker);
/* Runs tasks 0..task_count-1, in any order, and returns when all are done. */
typedef void (*mlc_parallel_fn)(void *pool, uint32_t task_count, mlc_task_fn task, void *argument);

typedef struct mlc_kernel_set mlc_kernel_set;

typedef struct {
  uint8_t *memory;            /* 64-byte aligned; addresses in records are offsets into it */
  uint64_t memory_size_bytes;
  const mlc_kernel_set *kernels;
  uint32_t worker_count;      /* 1 where there is no pool */
  float *scratch;             /* worker_count * MLC_SCRATCH_FLOAT_COUNT */
  float *shared_scratch;      /* MLC_SHARED_SCRATCH_FLOAT_COUNT */
  mlc_parallel_fn parallel;   /* NULL: tasks run one after another on the calling thread */
  void *pool;
} mlc_context;

#define MLC_RECORD_OK (-1)

/*
 * Checks one record against the size of the memory: enum ranges, extents, alignment, geometry, overlap. A record that
 * passes cannot make a kernel read or write outside the memory, whatever the memory holds.
 * Returns MLC_RECORD_OK, or the index of the word at fault (0 is the opcode).
 */
int32_t mlc_check_record(const int32_t record[MLC_RECORD_WORD_COUNT], uint64_t memory_size_bytes);

/* Runs one record that mlc_check_record has accepted for this memory size. The caller owns it and nobody changes it. */
void mlc_run_record(const mlc_context *context, const int32_t record[MLC_RECORD_WORD_COUNT]);

/*
 * Runs small problems with known answers on the context's kernels, in memory of its own.
 * Returns 0, or the number of the first test that failed.
 */
uint32_t mlc_self_test(const mlc_context *context);

/* The kernel sets compiled into this binary that this CPU can run, best first; NULL ends the list. */
const mlc_kernel_set *const *mlc_kernel_sets(void);
const char *mlc_kernel_set_isa(const mlc_kernel_set *kernels);

#endif
