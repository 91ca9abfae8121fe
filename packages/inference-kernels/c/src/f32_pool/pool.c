/* SPDX-License-Identifier: Apache-2.0 */
#include "../core/context.h"

typedef struct {
  const mlc_context *context;
  const mlc_pool2d_record *record;
  uint32_t row_count, task_count;
} pool_job;

static void run_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const pool_job *job = argument;
  const mlc_pool2d_record *r = job->record;
  const size_t image_floats = (size_t)r->input_height * (size_t)r->input_width * (size_t)r->channels;
  const size_t row_floats = (size_t)r->output_width * (size_t)r->channels;
  const uint32_t end = mlc_task_start(job->row_count, job->task_count, task + 1);
  for (uint32_t row = mlc_task_start(job->row_count, job->task_count, task); row < end; row++) {
    const f32_pool_row_args args = {
        .record = r,
        .input = mlc_floats(job->context, r->input) + row / (uint32_t)r->output_height * image_floats,
        .output = mlc_floats(job->context, r->output) + row * row_floats,
        .output_row = row % (uint32_t)r->output_height,
    };
    job->context->kernels->pool_row(&args);
  }
}

void mlc_run_pool2d(const mlc_context *context, const mlc_pool2d_record *r) {
  pool_job job = {context, r, (uint32_t)r->batch * (uint32_t)r->output_height, 0};
  const uint64_t height = (uint64_t)mlc_min_i64(r->kernel_height, r->input_height);
  const uint64_t width = (uint64_t)mlc_min_i64(r->kernel_width, r->input_width);
  const uint64_t row_work = (uint64_t)r->output_width * (uint64_t)r->channels * height * width;
  job.task_count = mlc_task_count(context, job.row_count, row_work);
  mlc_parallel_for(context, job.task_count, run_task, &job);
}
