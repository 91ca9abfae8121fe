/* SPDX-License-Identifier: Apache-2.0 */
#include "f32_gemm_driver.h"

typedef struct {
  const mlc_context *context;
  const f32_gemm_problem *problem;
  f32_gemm_split split;
} dense_job;

static void run_task(void *argument, uint32_t task, uint32_t worker) {
  const dense_job *job = argument;
  f32_gemm_run_block(job->context, job->problem, &job->split, task, worker);
}

void mlc_run_dense(const mlc_context *context, const mlc_dense_record *r) {
  const f32_gemm_problem problem = {
      .row_count = (uint32_t)r->row_count,
      .column_count = (uint32_t)r->column_count,
      .inner_count = (uint32_t)r->inner_count,
      .a = mlc_floats(context, r->input),
      .a_stride = (size_t)r->inner_count,
      .b = context->memory + r->weights,
      .b_type = r->weights_type,
      .b_scales = mlc_scales(context, r->weights_type, r->weight_scales, 0),
      .c = mlc_floats(context, r->output),
      .c_stride = (size_t)r->column_count + (size_t)r->output_gap,
      .bias = r->flags & MLC_FLAG_HAS_BIAS ? mlc_floats(context, r->bias) : NULL,
      .residual = r->flags & MLC_FLAG_HAS_RESIDUAL ? mlc_floats(context, r->residual) : NULL,
      .activation = r->activation,
      .activation_alpha = r->activation_alpha,
      .activation_beta = r->activation_beta,
  };
  dense_job job = {context, &problem, {0}};
  job.split = f32_gemm_plan_split(context, problem.row_count, problem.column_count, problem.inner_count, 1);
  f32_gemm_for(context, &job.split, job.split.row_blocks * job.split.panel_blocks, run_task, &job);
}
