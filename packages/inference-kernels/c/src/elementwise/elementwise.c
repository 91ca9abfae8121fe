/* SPDX-License-Identifier: Apache-2.0 */
#include "../core/context.h"

/* Elements of one task or one call: 16 KiB, so that an activation finds its values in the first-level cache. */
#define BLOCK 4096

typedef struct {
  const mlc_context *context;
  const mlc_unary_record *record;
  uint32_t task_count;
} unary_job;

static void run_unary_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const unary_job *job = argument;
  const mlc_unary_record *r = job->record;
  const uint32_t start = mlc_task_start((uint32_t)r->count, job->task_count, task);
  const uint32_t end = mlc_task_start((uint32_t)r->count, job->task_count, task + 1);
  job->context->kernels->unary(r->unary, r->alpha, r->beta, mlc_floats(job->context, r->input) + start,
                               mlc_floats(job->context, r->output) + start, end - start);
}

void mlc_run_unary(const mlc_context *context, const mlc_unary_record *r) {
  unary_job job = {context, r, mlc_task_count(context, (uint32_t)r->count, 4)};
  mlc_parallel_for(context, job.task_count, run_unary_task, &job);
}

/* The box of a binary record with neighboring dimensions joined where both operands allow it. */
typedef struct {
  const mlc_context *context;
  const mlc_binary_record *record;
  uint32_t dims[6], a_strides[6], b_strides[6];
  uint32_t rank; /* at least 1 */
  uint32_t outer_count, block_count, task_count;
} binary_job;

static void join_dimensions(binary_job *job) {
  const mlc_binary_record *r = job->record;
  uint32_t rank = 0;
  for (uint32_t d = 0; d < 6; d++) {
    const uint32_t dim = (uint32_t)r->dims[d];
    const uint32_t a = (uint32_t)r->a_strides[d], b = (uint32_t)r->b_strides[d];
    if (dim == 1) continue;
    if (rank > 0 && job->a_strides[rank - 1] == (uint64_t)a * dim && job->b_strides[rank - 1] == (uint64_t)b * dim) {
      rank--;
      job->dims[rank] *= dim;
    } else {
      job->dims[rank] = dim;
    }
    job->a_strides[rank] = a;
    job->b_strides[rank] = b;
    rank++;
  }
  if (rank == 0) {
    job->dims[0] = 1;
    job->a_strides[0] = job->b_strides[0] = 1;
    rank = 1;
  }
  job->rank = rank;
}

/* A unit is one block of one innermost run. */
static void run_binary_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const binary_job *job = argument;
  const mlc_binary_record *r = job->record;
  const mlc_context *context = job->context;
  const uint32_t inner = job->rank - 1, inner_count = job->dims[inner];
  const uint32_t units = job->outer_count * job->block_count;
  const uint32_t end = mlc_task_start(units, job->task_count, task + 1);
  for (uint32_t unit = mlc_task_start(units, job->task_count, task); unit < end; unit++) {
    const uint32_t outer = unit / job->block_count, first = unit % job->block_count * BLOCK;
    const uint32_t count = mlc_min_u32(BLOCK, inner_count - first);
    size_t a = (size_t)first * job->a_strides[inner], b = (size_t)first * job->b_strides[inner];
    uint32_t rest = outer;
    for (uint32_t d = inner; d-- > 0;) {
      a += (size_t)(rest % job->dims[d]) * job->a_strides[d];
      b += (size_t)(rest % job->dims[d]) * job->b_strides[d];
      rest /= job->dims[d];
    }
    float *to = mlc_floats(context, r->output) + (size_t)outer * inner_count + first;
    context->kernels->binary(r->binary, mlc_floats(context, r->a) + a, job->a_strides[inner],
                             mlc_floats(context, r->b) + b, job->b_strides[inner], to, count);
    context->kernels->activate(r->activation, r->activation_alpha, r->activation_beta, to, count);
  }
}

void mlc_run_binary(const mlc_context *context, const mlc_binary_record *r) {
  binary_job job = {.context = context, .record = r};
  for (uint32_t d = 0; d < 6; d++) {
    if (r->dims[d] == 0) return;
  }
  join_dimensions(&job);
  job.outer_count = 1;
  for (uint32_t d = 0; d + 1 < job.rank; d++) job.outer_count *= job.dims[d];
  job.block_count = mlc_ceil_div(job.dims[job.rank - 1], BLOCK);
  const uint32_t units = job.outer_count * job.block_count;
  job.task_count = mlc_task_count(context, units, (uint64_t)mlc_min_u32(BLOCK, job.dims[job.rank - 1]) * 4);
  mlc_parallel_for(context, job.task_count, run_binary_task, &job);
}
