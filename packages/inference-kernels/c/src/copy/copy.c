/* SPDX-License-Identifier: Apache-2.0 */
/* Moves boxes of elements. One thread but where a plane is turned: what overlaps is then written in one order. */
#include "../core/context.h"

typedef struct {
  uint32_t rank;
  uint32_t dims[8];
  int64_t input_strides[8], output_strides[8];
} box;

/* Drops dimensions of 1 and joins neighbors that lie one after another on both sides. */
static box join_dimensions(const mlc_copy_record *r) {
  box joined = {0};
  for (uint32_t d = 0; d < 8; d++) {
    const uint32_t dim = (uint32_t)r->dims[d];
    const int64_t input = r->input_strides[d], output = r->output_strides[d];
    if (dim == 1) continue;
    uint32_t at = joined.rank;
    if (at > 0 && joined.input_strides[at - 1] == input * dim && joined.output_strides[at - 1] == output * dim) {
      at--;
      joined.dims[at] *= dim;
    } else {
      joined.dims[at] = dim;
      joined.rank++;
    }
    joined.input_strides[at] = input;
    joined.output_strides[at] = output;
  }
  return joined;
}

#define MOVE(type)                                                                   \
  do {                                                                               \
    typedef type element __attribute__((may_alias));                                 \
    const element *from = (const element *)(const void *)input;                      \
    element *to = (element *)(void *)output;                                         \
    if (input_stride == 1 && output_stride == 1) {                                   \
      for (int64_t i = 0; i < count; i++) to[i] = from[i];                           \
    } else if (output_stride == 1) {                                                 \
      for (int64_t i = 0; i < count; i++) to[i] = from[i * input_stride];            \
    } else {                                                                         \
      for (int64_t i = 0; i < count; i++) to[i * output_stride] = from[i * input_stride]; \
    }                                                                                \
  } while (0)

static void move_run(int32_t size, const uint8_t *input, int64_t input_stride, uint8_t *output, int64_t output_stride,
                     int64_t count) {
  switch (size) {
    case 1: MOVE(uint8_t); break;
    case 2: MOVE(uint16_t); break;
    case 4: MOVE(uint32_t); break;
    case 8: MOVE(uint64_t); break;
    default: break;
  }
}

/* A plane that is turned: what lies side by side in the input does not in the output. */
typedef struct {
  uint32_t rows, columns; /* of the output's order: columns are its inner dimension */
  int64_t input_row, input_column, output_row, output_column; /* strides, elements */
} plane;

/* Square blocks, whose lines stay in the first-level cache on both sides; long ones where a side is short. */
#define PLANE_BLOCK 16
#define PLANE_LONG_BLOCK 1024

/* Three planes of floats into pixels of three channels, as images come. */
static void join_three(const uint32_t *input, size_t input_column, uint32_t *output, uint32_t row_count) {
  typedef uint32_t element __attribute__((may_alias));
  const element *a = input, *b = a + input_column, *c = b + input_column;
  element *to = output;
  MLC_INDEPENDENT
  for (size_t i = 0; i < row_count; i++) {
    to[3 * i] = a[i];
    to[3 * i + 1] = b[i];
    to[3 * i + 2] = c[i];
  }
}

static void move_rows(int32_t size, const uint8_t *input, uint8_t *output, const plane *p, uint32_t row, uint32_t end) {
  if (size == 4 && p->columns == 3 && p->input_row == 1 && p->output_column == 1 && p->output_row == 3) {
    const uint32_t *from = (const uint32_t *)(const void *)input + row;
    join_three(from, (size_t)p->input_column, (uint32_t *)(void *)output + (size_t)row * 3, end - row);
    return;
  }
  const uint32_t row_block = p->columns < PLANE_BLOCK ? PLANE_LONG_BLOCK : PLANE_BLOCK;
  for (; row < end; row += row_block) {
    const uint32_t row_count = mlc_min_u32(row_block, end - row);
    for (uint32_t column = 0; column < p->columns; column++) {
      move_run(size, input + (row * p->input_row + column * p->input_column) * size, p->input_row,
               output + (row * p->output_row + column * p->output_column) * size, p->output_row, row_count);
    }
  }
}

typedef struct {
  const plane *plane;
  int32_t size;
  const uint8_t *input;
  uint8_t *output;
  uint32_t task_count;
} plane_job;

static void run_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const plane_job *job = argument;
  move_rows(job->size, job->input, job->output, job->plane, mlc_task_start(job->plane->rows, job->task_count, task),
            mlc_task_start(job->plane->rows, job->task_count, task + 1));
}

static void move_plane(const mlc_context *context, int32_t size, const uint8_t *input, uint8_t *output, const plane *p) {
  /* Rows that each end in front of the next one may be written in any order. */
  const int are_apart = p->output_column >= 0 && p->output_column <= (p->output_row - 1) / p->columns;
  plane_job job = {p, size, input, output, 1};
  if (are_apart) job.task_count = mlc_task_count(context, p->rows, (uint64_t)p->columns * 4);
  mlc_parallel_for(context, job.task_count, run_task, &job);
}

void mlc_run_copy(const mlc_context *context, const mlc_copy_record *r) {
  for (uint32_t d = 0; d < 8; d++) {
    if (r->dims[d] == 0) return;
  }
  const box b = join_dimensions(r);
  const int64_t size = r->element_size_bytes;
  const uint32_t inner = b.rank == 0 ? 0 : b.rank - 1;
  const int64_t inner_count = b.rank == 0 ? 1 : b.dims[inner];
  uint32_t at[8] = {0};
  int64_t input = r->input, output = r->output; /* byte offsets */
  const int turns = b.rank >= 2 && b.input_strides[inner - 1] == 1 && b.input_strides[inner] != 1;
  for (;;) {
    uint32_t d = inner;
    if (turns) {
      d = inner - 1;
      const plane turned = {b.dims[d],           b.dims[inner],           b.input_strides[d],
                            b.input_strides[inner], b.output_strides[d], b.output_strides[inner]};
      move_plane(context, r->element_size_bytes, context->memory + input, context->memory + output, &turned);
    } else {
      move_run(r->element_size_bytes, context->memory + input, b.input_strides[inner], context->memory + output,
               b.output_strides[inner], inner_count);
    }
    for (;;) {
      if (d == 0) return;
      d--;
      input += b.input_strides[d] * size;
      output += b.output_strides[d] * size;
      if (++at[d] < b.dims[d]) break;
      at[d] = 0;
      input -= b.input_strides[d] * size * b.dims[d];
      output -= b.output_strides[d] * size * b.dims[d];
    }
  }
}

void mlc_run_fill(const mlc_context *context, const mlc_fill_record *r) {
  void *output = context->memory + r->output;
  typedef uint16_t element16 __attribute__((may_alias));
  typedef uint32_t element32 __attribute__((may_alias));
  typedef int64_t element64 __attribute__((may_alias));
  for (int32_t i = 0; i < r->count; i++) {
    switch (r->element_size_bytes) {
      case 1: ((uint8_t *)output)[i] = (uint8_t)r->bits; break;
      case 2: ((element16 *)output)[i] = (uint16_t)r->bits; break;
      case 4: ((element32 *)output)[i] = (uint32_t)r->bits; break;
      default: ((element64 *)output)[i] = r->bits; break;
    }
  }
}
