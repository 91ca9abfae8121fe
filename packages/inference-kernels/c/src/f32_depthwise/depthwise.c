/* SPDX-License-Identifier: Apache-2.0 */
#include "../core/context.h"

typedef struct {
  const mlc_context *context;
  const mlc_depthwise_conv2d_record *record;
  uint32_t row_count, task_count;
} depthwise_job;

static void run_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const depthwise_job *job = argument;
  const mlc_context *context = job->context;
  const mlc_depthwise_conv2d_record *r = job->record;
  const size_t image_floats = (size_t)r->input_height * (size_t)r->input_width * (size_t)r->channels;
  const size_t row_floats = (size_t)r->output_width * (size_t)r->channels;
  const int clamps = r->activation == MLC_ACTIVATION_CLAMP;
  const uint32_t end = mlc_task_start(job->row_count, job->task_count, task + 1);
  const int pairs = r->kernel_height == 3 && r->kernel_width == 3 && r->stride_height == 1 && r->stride_width == 1 &&
                    r->dilation_height == 1 && r->dilation_width == 1;
  uint32_t row_count = 1;
  for (uint32_t row = mlc_task_start(job->row_count, job->task_count, task); row < end; row += row_count) {
    row_count = pairs && row + 1 < end && (row + 1) % (uint32_t)r->output_height != 0 ? 2 : 1;
    const float *input = mlc_floats(context, r->input) + row / (uint32_t)r->output_height * image_floats;
    const f32_depthwise_row_args args = {
        .record = r,
        .input = input,
        .input_end = input + image_floats,
        .weights = mlc_floats(context, r->weights),
        .bias = r->flags & MLC_FLAG_HAS_BIAS ? mlc_floats(context, r->bias) : NULL,
        .output = mlc_floats(context, r->output) + row * row_floats,
        .output_row = row % (uint32_t)r->output_height,
        .row_count = row_count,
        .clamp_min = clamps ? r->activation_alpha : -MLC_INFINITY,
        .clamp_max = clamps ? r->activation_beta : MLC_INFINITY,
    };
    context->kernels->depthwise_row(&args);
    if (clamps) continue;
    context->kernels->activate(r->activation, r->activation_alpha, r->activation_beta, args.output,
                               row_count * row_floats);
  }
}

void mlc_run_depthwise_conv2d(const mlc_context *context, const mlc_depthwise_conv2d_record *r) {
  depthwise_job job = {context, r, (uint32_t)r->batch * (uint32_t)r->output_height, 0};
  const uint64_t taps = (uint64_t)r->kernel_height * (uint64_t)r->kernel_width;
  job.task_count = mlc_task_count(context, job.row_count, (uint64_t)r->output_width * (uint64_t)r->channels * taps);
  mlc_parallel_for(context, job.task_count, run_task, &job);
}
