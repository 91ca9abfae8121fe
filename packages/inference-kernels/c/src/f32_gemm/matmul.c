/* SPDX-License-Identifier: Apache-2.0 */
#include "f32_gemm_driver.h"

typedef struct {
  const mlc_context *context;
  const mlc_matmul_record *record;
  f32_gemm_split split;
  uint32_t blocks_per_product;
} matmul_job;

static void run_task(void *argument, uint32_t task, uint32_t worker) {
  const matmul_job *job = argument;
  const mlc_matmul_record *r = job->record;
  const size_t product = task / job->blocks_per_product;
  const f32_gemm_problem problem = {
      .row_count = (uint32_t)r->row_count,
      .column_count = (uint32_t)r->column_count,
      .inner_count = (uint32_t)r->inner_count,
      .a = mlc_floats(job->context, r->a) + product * (size_t)r->a_batch_stride,
      .a_stride = (size_t)r->inner_count,
      .b = mlc_floats(job->context, r->b) + product * (size_t)r->b_batch_stride,
      .b_row_stride = (size_t)r->column_count,
      .b_is_rows = 1,
      .c = mlc_floats(job->context, r->output) + product * (size_t)r->row_count * (size_t)r->column_count,
      .c_stride = (size_t)r->column_count,
      .activation = MLC_ACTIVATION_NONE,
  };
  f32_gemm_run_block(job->context, &problem, &job->split, task % job->blocks_per_product, worker);
}

void mlc_run_matmul(const mlc_context *context, const mlc_matmul_record *r) {
  matmul_job job = {context, r, {0}, 0};
  job.split = f32_gemm_plan_split(context, (uint32_t)r->row_count, (uint32_t)r->column_count,
                                  (uint32_t)r->inner_count, (uint32_t)r->batch_count);
  job.blocks_per_product = job.split.row_blocks * job.split.panel_blocks;
  f32_gemm_for(context, &job.split, job.blocks_per_product * (uint32_t)r->batch_count, run_task, &job);
}
