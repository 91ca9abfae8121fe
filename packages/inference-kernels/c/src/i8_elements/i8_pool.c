/* SPDX-License-Identifier: Apache-2.0 */
#include "../core/context.h"
#include "../math/window.h"

typedef struct {
  const mlc_context *context;
  const mlc_quantized_max_pool2d_record *record;
  uint32_t row_count, task_count;
} pool_job;

static void pool_row(const mlc_context *context, const mlc_quantized_max_pool2d_record *r, const uint8_t *image,
                     uint32_t output_row, uint8_t *output) {
  const size_t channels = (size_t)r->channels, row_bytes = (size_t)r->input_width * channels;
  const int64_t top = (int64_t)output_row * r->stride_height - r->pad_top;
  const mlc_window rows = mlc_window_inside(top, r->dilation_height, r->kernel_height, r->input_height);
  for (uint32_t x = 0; x < (uint32_t)r->output_width; x++, output += channels) {
    const int64_t left = (int64_t)x * r->stride_width - r->pad_left;
    const mlc_window columns = mlc_window_inside(left, r->dilation_width, r->kernel_width, r->input_width);
    for (size_t c = 0; c < channels; c++) output[c] = 0;
    for (uint32_t kh = rows.start; kh < rows.end; kh++) {
      const uint8_t *row = image + (size_t)(top + (int64_t)kh * r->dilation_height) * row_bytes;
      for (uint32_t kw = columns.start; kw < columns.end; kw++) {
        const size_t at = (size_t)(left + (int64_t)kw * r->dilation_width) * channels;
        context->kernels->i8_raise(row + at, output, (uint32_t)channels);
      }
    }
  }
}

static void run_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const pool_job *job = argument;
  const mlc_quantized_max_pool2d_record *r = job->record;
  const size_t image_bytes = (size_t)r->input_height * (size_t)r->input_width * (size_t)r->channels;
  const size_t row_bytes = (size_t)r->output_width * (size_t)r->channels;
  const uint32_t end = mlc_task_start(job->row_count, job->task_count, task + 1);
  for (uint32_t row = mlc_task_start(job->row_count, job->task_count, task); row < end; row++) {
    const uint8_t *image = job->context->memory + r->input + row / (uint32_t)r->output_height * image_bytes;
    pool_row(job->context, r, image, row % (uint32_t)r->output_height, job->context->memory + r->output + row * row_bytes);
  }
}

void mlc_run_quantized_max_pool2d(const mlc_context *context, const mlc_quantized_max_pool2d_record *r) {
  pool_job job = {context, r, (uint32_t)r->batch * (uint32_t)r->output_height, 0};
  const uint64_t height = (uint64_t)mlc_min_i64(r->kernel_height, r->input_height);
  const uint64_t width = (uint64_t)mlc_min_i64(r->kernel_width, r->input_width);
  job.task_count = mlc_task_count(context, job.row_count,
                                  (uint64_t)r->output_width * (uint64_t)r->channels * height * width / 4);
  mlc_parallel_for(context, job.task_count, run_task, &job);
}
