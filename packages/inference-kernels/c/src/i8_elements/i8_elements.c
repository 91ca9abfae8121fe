/* SPDX-License-Identifier: Apache-2.0 */
#include "../core/context.h"

typedef struct {
  const mlc_context *context;
  const void *record;
  uint32_t count, task_count;
} elements_job;

static uint32_t start_of(const elements_job *job, uint32_t task) { return mlc_task_start(job->count, job->task_count, task); }

static void run(const mlc_context *context, const void *record, int32_t count, mlc_task_fn task) {
  elements_job job = {context, record, (uint32_t)count, mlc_task_count(context, (uint32_t)count, 2)};
  mlc_parallel_for(context, job.task_count, task, &job);
}

static void run_quantize_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const elements_job *job = argument;
  const mlc_quantize_record *r = job->record;
  const uint32_t start = start_of(job, task);
  job->context->kernels->i8_quantize(r, mlc_floats(job->context, r->input) + start,
                                     job->context->memory + r->output + start, start_of(job, task + 1) - start);
}

void mlc_run_quantize(const mlc_context *context, const mlc_quantize_record *r) {
  run(context, r, r->count, run_quantize_task);
}

static void run_dequantize_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const elements_job *job = argument;
  const mlc_dequantize_record *r = job->record;
  const uint32_t start = start_of(job, task);
  job->context->kernels->i8_dequantize(r, job->context->memory + r->input + start,
                                       mlc_floats(job->context, r->output) + start, start_of(job, task + 1) - start);
}

void mlc_run_dequantize(const mlc_context *context, const mlc_dequantize_record *r) {
  run(context, r, r->count, run_dequantize_task);
}

static void run_add_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const elements_job *job = argument;
  const mlc_quantized_add_record *r = job->record;
  const uint8_t *memory = job->context->memory;
  const uint32_t start = start_of(job, task);
  job->context->kernels->i8_add(r, memory + r->a + start, memory + r->b + start,
                                job->context->memory + r->output + start, start_of(job, task + 1) - start);
}

void mlc_run_quantized_add(const mlc_context *context, const mlc_quantized_add_record *r) {
  run(context, r, r->count, run_add_task);
}
