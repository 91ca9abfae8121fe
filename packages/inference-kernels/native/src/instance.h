/* SPDX-License-Identifier: Apache-2.0 */
/* One set of kernels with its memory, its threads and its private copies of programs. Knows nothing of JavaScript. */
#ifndef MLC_INSTANCE_H
#define MLC_INSTANCE_H

#include "mlc.h"
#include "pager.h"
#include "pool.h"

/* Records of one program, and programs of one instance: above, a caller has lost count. */
#define MLC_MAX_RECORD_COUNT (1u << 20)
#define MLC_MAX_PROGRAM_COUNT 1024u

typedef struct {
  int32_t *records;
  uint32_t count;
  mlc_stream *stream; /* NULL where all weights stay in memory */
} mlc_program;

typedef struct {
  mlc_context context; /* memory is NULL after mlc_instance_close */
  size_t mapped_size_bytes;
  uint64_t max_memory_size_bytes;
  mlc_pool *pool;
  mlc_pager *pager;        /* NULL where no pages are attached */
  mlc_stream *filling;     /* what it fetches while no program runs, or fetched last */
  uint32_t streaming;      /* the program whose weights the pager fetches, and how many of its records are done */
  uint32_t streamed_count;
  mlc_program programs[MLC_MAX_PROGRAM_COUNT];
  uint32_t program_count;
} mlc_instance;

/* NULL where the memory or the threads cannot be had. */
mlc_instance *mlc_instance_create(uint64_t memory_size_bytes, uint64_t max_memory_size_bytes, uint32_t worker_count,
                                  const mlc_kernel_set *kernels);

/* Takes pages for streams to come from, one set at a time. 0 where that cannot be. */
int mlc_instance_attach_pages(mlc_instance *instance, const mlc_pages_source *source);

/* Gives up the pages and their key. 0 where there are none, or a program streams them. */
int mlc_instance_detach_pages(mlc_instance *instance);

/*
 * Begins to fetch pages into the memory, beside the caller, who asks the pager how far it is and runs no program with a
 * stream meanwhile. Stream: as for mlc_stream_copy, with one record, which needs all of it. 0 where it is refused.
 */
int mlc_instance_fill(mlc_instance *instance, const uint32_t *stream, size_t stream_word_count);

typedef enum { MLC_LOAD_OK, MLC_LOAD_INVALID, MLC_LOAD_FULL, MLC_LOAD_STREAM_INVALID } mlc_load_status;
typedef struct {
  mlc_load_status status;
  uint32_t program;       /* where OK */
  uint32_t step;          /* where INVALID */
  int32_t word;
} mlc_load_result;

/*
 * Copies the records, then checks the copy. Keeps nothing where a record is refused. Stream: as for mlc_stream_copy, or
 * no words.
 */
mlc_load_result mlc_instance_load(mlc_instance *instance, const int32_t *records, uint32_t count, const uint32_t *stream,
                                  size_t stream_word_count);

/* Whether there was such a program; its records are wiped and its number may be given out again. */
int mlc_instance_unload(mlc_instance *instance, uint32_t program);

/* Gives kernels more of the memory that was reserved; 0 beyond it, or for less than there is. */
int mlc_instance_grow(mlc_instance *instance, uint64_t memory_size_bytes);

typedef enum { MLC_RUN_NO_STEPS, MLC_RUN_OK, MLC_RUN_PAGE_INVALID } mlc_run_status;

/*
 * Runs nothing where the range does not lie in the program. A program with a stream is run in order: from its first record,
 * or from where the last range ended.
 */
mlc_run_status mlc_instance_run(mlc_instance *instance, uint32_t program, uint32_t first, uint32_t count);

/* Zeroes and frees everything but the mapping itself: views of it may still be about. */
void mlc_instance_close(mlc_instance *instance);
void mlc_instance_unmap(uint8_t *memory, size_t mapped_size_bytes);

#endif
