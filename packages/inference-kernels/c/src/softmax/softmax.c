/* SPDX-License-Identifier: Apache-2.0 */
#include "../core/context.h"

/* A unit is a strip of inner columns of one outer slice. */
#define STRIP 64

typedef struct {
  const mlc_context *context;
  const mlc_softmax_record *record;
  uint32_t strips, task_count;
} softmax_job;

static void run_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const softmax_job *job = argument;
  const mlc_softmax_record *r = job->record;
  const size_t slice = (size_t)r->axis_count * (size_t)r->inner_count;
  const uint32_t units = (uint32_t)r->outer_count * job->strips;
  const uint32_t end = mlc_task_start(units, job->task_count, task + 1);
  for (uint32_t unit = mlc_task_start(units, job->task_count, task); unit < end; unit++) {
    const size_t offset = unit / job->strips * slice;
    const uint32_t column = unit % job->strips * STRIP;
    job->context->kernels->softmax(r->softmax, mlc_floats(job->context, r->input) + offset,
                                   mlc_floats(job->context, r->output) + offset, (size_t)r->axis_count,
                                   (size_t)r->inner_count, column,
                                   mlc_min_u32(column + STRIP, (uint32_t)r->inner_count));
  }
}

void mlc_run_softmax(const mlc_context *context, const mlc_softmax_record *r) {
  softmax_job job = {context, r, mlc_ceil_div((uint32_t)r->inner_count, STRIP), 0};
  const uint64_t unit_work = (uint64_t)mlc_min_u32(STRIP, (uint32_t)r->inner_count) * (uint64_t)r->axis_count * 16;
  job.task_count = mlc_task_count(context, (uint32_t)r->outer_count * job.strips, unit_work);
  mlc_parallel_for(context, job.task_count, run_task, &job);
}
