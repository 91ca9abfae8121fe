/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* explicit_bzero, madvise */
#include "instance.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The larger page, so that the size is right on every kernel. */
#define PAGE_SIZE_BYTES 65536u

/* Zeroed when first touched, and not there before: most programs use little of the scratch. NULL where it cannot be had. */
static void *map(size_t size_bytes) {
  void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return NULL;
#if defined(MADV_DONTDUMP)
  (void)madvise(memory, size_bytes, MADV_DONTDUMP); /* weights and queries stay out of core dumps where this works */
#endif
#if defined(MADV_HUGEPAGE)
  (void)madvise(memory, size_bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

/* Of all workers, then what they share. */
static size_t scratch_size_bytes(uint32_t worker_count) {
  return ((size_t)worker_count * MLC_SCRATCH_FLOAT_COUNT + MLC_SHARED_SCRATCH_FLOAT_COUNT) * sizeof(float);
}

mlc_instance *mlc_instance_create(uint64_t memory_size_bytes, uint64_t max_memory_size_bytes, uint32_t worker_count,
                                  const mlc_kernel_set *kernels) {
  mlc_instance *instance = calloc(1, sizeof *instance);
  if (instance == NULL) return NULL;
  const size_t mapped = (size_t)((max_memory_size_bytes + PAGE_SIZE_BYTES) / PAGE_SIZE_BYTES * PAGE_SIZE_BYTES);
  const size_t scratch_size = scratch_size_bytes(worker_count);
  void *memory = map(mapped);
  void *scratch = map(scratch_size);
  if (memory == NULL || scratch == NULL) {
    if (memory != NULL) munmap(memory, mapped);
    if (scratch != NULL) munmap(scratch, scratch_size);
    free(instance);
    return NULL;
  }
  instance->mapped_size_bytes = mapped;
  instance->max_memory_size_bytes = max_memory_size_bytes;
  instance->context = (mlc_context){.memory = memory,
                                    .memory_size_bytes = memory_size_bytes,
                                    .kernels = kernels,
                                    .worker_count = worker_count,
                                    .scratch = scratch,
                                    .shared_scratch = (float *)scratch + (size_t)worker_count * MLC_SCRATCH_FLOAT_COUNT};
  if (worker_count > 1) {
    instance->pool = mlc_pool_create(worker_count);
    if (instance->pool == NULL) {
      mlc_instance_close(instance);
      mlc_instance_unmap(memory, mapped);
      free(instance);
      return NULL;
    }
    instance->context.parallel = mlc_pool_run;
    instance->context.pool = instance->pool;
  }
  return instance;
}

static void drop(mlc_program *program) {
  if (program->records == NULL) return;
  explicit_bzero(program->records, (size_t)program->count * MLC_RECORD_WORD_COUNT * sizeof(int32_t));
  free(program->records);
  if (program->stream != NULL) mlc_stream_free(program->stream);
  *program = (mlc_program){NULL, 0, NULL};
}

int mlc_instance_attach_pages(mlc_instance *instance, const mlc_pages_source *source) {
  if (instance->context.memory == NULL || instance->pager != NULL) return 0;
  mlc_pages *pages = mlc_pages_open(source);
  if (pages == NULL) return 0;
  instance->pager = mlc_pager_create(pages, instance->context.memory);
  return instance->pager != NULL;
}

int mlc_instance_detach_pages(mlc_instance *instance) {
  if (instance->pager == NULL) return 0;
  for (uint32_t i = 0; i < instance->program_count; i++) {
    if (instance->programs[i].stream != NULL) return 0;
  }
  mlc_pager_destroy(instance->pager);
  mlc_stream_free(instance->filling);
  instance->pager = NULL;
  instance->filling = NULL;
  return 1;
}

int mlc_instance_fill(mlc_instance *instance, const uint32_t *stream, size_t stream_word_count) {
  if (instance->pager == NULL) return 0;
  mlc_stream *filling = mlc_stream_copy(stream, stream_word_count, 1, mlc_pager_pages(instance->pager),
                                        instance->context.memory_size_bytes);
  if (filling == NULL) return 0;
  mlc_pager_begin(instance->pager, filling);
  mlc_stream_free(instance->filling);
  instance->filling = filling;
  instance->streamed_count = UINT32_MAX; /* the pager fetches for no program now */
  return 1;
}

static int32_t *copy_records(const int32_t *records, size_t size_bytes) {
  int32_t *copy = malloc(size_bytes == 0 ? 1 : size_bytes);
  if (copy != NULL && size_bytes > 0) memcpy(copy, records, size_bytes);
  return copy;
}

mlc_load_result mlc_instance_load(mlc_instance *instance, const int32_t *records, uint32_t count, const uint32_t *stream,
                                  size_t stream_word_count) {
  mlc_load_result result = {MLC_LOAD_FULL, 0, 0, 0};
  uint32_t place = 0;
  while (place < instance->program_count && instance->programs[place].records != NULL) place++;
  if (place == MLC_MAX_PROGRAM_COUNT || count > MLC_MAX_RECORD_COUNT) return result;
  const uint64_t memory_size_bytes = instance->context.memory_size_bytes;
  mlc_program program = {.count = count};
  program.records = copy_records(records, (size_t)count * MLC_RECORD_WORD_COUNT * sizeof(int32_t));
  if (program.records == NULL) return result;
  for (uint32_t step = 0; step < count; step++) {
    const int32_t word = mlc_check_record(program.records + (size_t)step * MLC_RECORD_WORD_COUNT, memory_size_bytes);
    if (word != MLC_RECORD_OK) {
      drop(&program);
      return (mlc_load_result){MLC_LOAD_INVALID, 0, step, word};
    }
  }
  if (stream_word_count > 0) {
    if (instance->pager != NULL) {
      const mlc_pages *pages = mlc_pager_pages(instance->pager);
      program.stream = mlc_stream_copy(stream, stream_word_count, count, pages, memory_size_bytes);
    }
    if (program.stream == NULL) {
      drop(&program);
      return (mlc_load_result){MLC_LOAD_STREAM_INVALID, 0, 0, 0};
    }
  }
  result.status = MLC_LOAD_OK;
  result.program = place;
  instance->programs[place] = program;
  if (place == instance->program_count) instance->program_count++;
  return result;
}

int mlc_instance_unload(mlc_instance *instance, uint32_t program) {
  if (program >= instance->program_count || instance->programs[program].records == NULL) return 0;
  if (instance->programs[program].stream != NULL) mlc_pager_begin(instance->pager, NULL);
  drop(&instance->programs[program]);
  return 1;
}

int mlc_instance_grow(mlc_instance *instance, uint64_t memory_size_bytes) {
  mlc_context *context = &instance->context;
  if (context->memory == NULL || memory_size_bytes < context->memory_size_bytes ||
      memory_size_bytes > instance->max_memory_size_bytes) {
    return 0;
  }
  context->memory_size_bytes = memory_size_bytes;
  return 1;
}

/* Whether a range of a program with a stream may run now; the pager then fetches for it. */
static int take_up(mlc_instance *instance, uint32_t program, uint32_t first) {
  if (first == 0) {
    mlc_pager_begin(instance->pager, instance->programs[program].stream);
    instance->streaming = program;
    return 1;
  }
  return instance->streaming == program && instance->streamed_count == first;
}

static mlc_run_status run_streamed(mlc_instance *instance, const mlc_program *p, uint32_t first, uint32_t count) {
  for (uint32_t step = first; step < first + count; step++) {
    if (!mlc_pager_wait(instance->pager, p->stream->needed_by[step])) {
      instance->streamed_count = UINT32_MAX; /* no range goes on from here */
      return MLC_RUN_PAGE_INVALID;
    }
    mlc_run_record(&instance->context, p->records + (size_t)step * MLC_RECORD_WORD_COUNT);
    mlc_pager_release(instance->pager, step + 1);
  }
  instance->streamed_count = first + count;
  return MLC_RUN_OK;
}

mlc_run_status mlc_instance_run(mlc_instance *instance, uint32_t program, uint32_t first, uint32_t count) {
  if (instance->context.memory == NULL || program >= instance->program_count) return MLC_RUN_NO_STEPS;
  const mlc_program *p = &instance->programs[program];
  if (p->records == NULL || first > p->count || count > p->count - first) return MLC_RUN_NO_STEPS;
  mlc_run_status status = MLC_RUN_OK;
  if (p->stream != NULL) {
    if (!take_up(instance, program, first)) return MLC_RUN_NO_STEPS;
    status = run_streamed(instance, p, first, count);
  } else {
    for (uint32_t step = first; step < first + count; step++) {
      mlc_run_record(&instance->context, p->records + (size_t)step * MLC_RECORD_WORD_COUNT);
    }
  }
  if (instance->pool != NULL) mlc_pool_rest(instance->pool);
  return status;
}

void mlc_instance_close(mlc_instance *instance) {
  mlc_context *context = &instance->context;
  if (context->memory == NULL) return;
  if (instance->pager != NULL) mlc_pager_destroy(instance->pager); /* before what its stream is part of */
  mlc_stream_free(instance->filling);
  if (instance->pool != NULL) mlc_pool_destroy(instance->pool);
  munmap(context->scratch, scratch_size_bytes(context->worker_count)); /* the system gives no page on unwiped */
  for (uint32_t i = 0; i < instance->program_count; i++) drop(&instance->programs[i]);
  /* Fresh zero pages in place of the old: faster than writing zeros, and untouched pages are not brought in. */
  if (madvise(context->memory, instance->mapped_size_bytes, MADV_DONTNEED) != 0) {
    explicit_bzero(context->memory, instance->mapped_size_bytes);
  }
  context->memory = NULL;
  context->scratch = NULL;
  context->shared_scratch = NULL;
  instance->pool = NULL;
  instance->pager = NULL;
  instance->filling = NULL;
  instance->program_count = 0;
}

void mlc_instance_unmap(uint8_t *memory, size_t mapped_size_bytes) { munmap(memory, mapped_size_bytes); }
