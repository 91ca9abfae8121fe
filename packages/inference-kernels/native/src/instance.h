/* SPDX-License-Identifier: Apache-2.0 */
/* One set of kernels with its memory, its threads and its private copies of programs. Knows nothing of JavaScript. */
#ifndef MLC_INSTANCE_H
#define MLC_INSTANCE_H

#include "mlc.h"
#include "pool.h"

/* Records of one program, and programs of one instance: above, a caller has lost count. */
#define MLC_MAX_RECORD_COUNT (1u << 20)
#define MLC_MAX_PROGRAM_COUNT 1024u

typedef struct {
  int32_t *records;
  uint32_t count;
} mlc_program;

typedef struct {
  mlc_context context; /* memory is NULL after mlc_instance_close */
  size_t mapped_size_bytes;
  uint64_t max_memory_size_bytes;
  mlc_pool *pool;
  mlc_program programs[MLC_MAX_PROGRAM_COUNT];
  uint32_t program_count;
} mlc_instance;

/* NULL where the memory or the threads cannot be had. */
mlc_instance *mlc_instance_create(uint64_t memory_size_bytes, uint64_t max_memory_size_bytes, uint32_t worker_count,
                                  const mlc_kernel_set *kernels);

typedef enum { MLC_LOAD_OK, MLC_LOAD_INVALID, MLC_LOAD_FULL } mlc_load_status;
typedef struct {
  mlc_load_status status;
  uint32_t program;       /* where OK */
  uint32_t step;          /* where INVALID */
  int32_t word;
} mlc_load_result;

/* Copies the records, then checks the copy. Keeps nothing where a record is refused. */
mlc_load_result mlc_instance_load(mlc_instance *instance, const int32_t *records, uint32_t count);

/* Whether there was such a program; its records are wiped and its number may be given out again. */
int mlc_instance_unload(mlc_instance *instance, uint32_t program);

/* Gives kernels more of the memory that was reserved; 0 beyond it, or for less than there is. */
int mlc_instance_grow(mlc_instance *instance, uint64_t memory_size_bytes);

/* Whether the range lies in the program; runs nothing otherwise. */
int mlc_instance_run(const mlc_instance *instance, uint32_t program, uint32_t first, uint32_t count);

/* Zeroes and frees everything but the mapping itself: views of it may still be about. */
void mlc_instance_close(mlc_instance *instance);
void mlc_instance_unmap(uint8_t *memory, size_t mapped_size_bytes);

#endif
