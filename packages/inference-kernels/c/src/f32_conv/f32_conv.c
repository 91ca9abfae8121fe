/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution as a matrix product whose rows are output pixels: rows are gathered block by block, never all at once. */
#include "../f32_gemm/f32_gemm_driver.h"

typedef struct {
  const mlc_context *context;
  const mlc_conv2d_record *record;
  f32_gemm_split split;
  uint32_t blocks_per_group;
} conv_job;

/*
 * A row of the product is one pixel's window: for each kernel row a run of floats that lie side by side in the image, or
 * for each tap where dilation or groups part them. The same for every pixel, so it is worked out once per block.
 */
typedef struct {
  uint32_t run_taps, run_floats;       /* taps and floats that lie side by side */
  uint32_t runs_per_row;               /* of the kernel */
  uint32_t first_row, first_run;       /* where the block's inner range begins: kernel row, run in it, */
  uint32_t first_float;                /* and float in the run */
  uint32_t group_channels, group_start; /* channels of the group, and in front of it */
} window_plan;

static window_plan plan_window(const mlc_conv2d_record *r, uint32_t group, uint32_t inner) {
  const int joined = r->dilation_width == 1 && r->groups == 1;
  window_plan plan = {.group_channels = (uint32_t)r->input_channels / (uint32_t)r->groups};
  plan.group_start = group * plan.group_channels;
  plan.run_taps = joined ? (uint32_t)r->kernel_width : 1;
  plan.runs_per_row = joined ? 1 : (uint32_t)r->kernel_width;
  plan.run_floats = plan.run_taps * plan.group_channels;
  const uint32_t run = inner / plan.run_floats;
  plan.first_row = run / plan.runs_per_row;
  plan.first_run = run % plan.runs_per_row;
  plan.first_float = inner % plan.run_floats;
  return plan;
}

/* Floats at..at+count-1 of the run whose first tap is (y, x). What falls outside the image is zero. */
MLC_INLINE void gather_run(const mlc_conv2d_record *r, const window_plan *plan, const float *image, int64_t y, int64_t x,
                           uint32_t at, uint32_t count, float *to) {
  int64_t low = 0, high = 0; /* the part of the run inside the image, in floats */
  if (y >= 0 && y < r->input_height && x < r->input_width && x + plan->run_taps > 0) {
    low = (x < 0 ? -x : 0) * plan->group_channels;
    high = mlc_min_i64(plan->run_taps, r->input_width - x) * plan->group_channels;
  }
  const int64_t from = mlc_min_i64(mlc_max_i64(low, at), at + count);
  const int64_t until = mlc_max_i64(mlc_min_i64(high, at + count), from);
  mlc_zero_floats(to, (size_t)(from - at));
  if (until > from) {
    const int64_t pixel = (y * r->input_width + x) * r->input_channels;
    mlc_copy_floats(to + (from - at), image + (pixel + (int64_t)plan->group_start + from), (size_t)(until - from));
  }
  mlc_zero_floats(to + (until - at), (size_t)(at + count - until));
}

static void gather_pixel(const mlc_conv2d_record *r, const window_plan *plan, const float *image, int64_t top,
                         int64_t left, uint32_t inner_count, float *to) {
  uint32_t at = plan->first_float, run = plan->first_run;
  int64_t y = top + (int64_t)plan->first_row * r->dilation_height;
  while (inner_count > 0) {
    const uint32_t count = mlc_min_u32(plan->run_floats - at, inner_count);
    gather_run(r, plan, image, y, left + (int64_t)run * r->dilation_width, at, count, to);
    to += count;
    inner_count -= count;
    at = 0;
    if (++run == plan->runs_per_row) {
      run = 0;
      y += r->dilation_height;
    }
  }
}

static void gather(const f32_gemm_problem *problem, uint32_t row, uint32_t row_count, uint32_t inner,
                   uint32_t inner_count, float *to) {
  const conv_job *job = problem->gather_argument;
  const mlc_conv2d_record *r = job->record;
  const window_plan plan = plan_window(r, problem->gather_group, inner);
  const size_t image_floats = (size_t)r->input_height * (size_t)r->input_width * (size_t)r->input_channels;
  const float *input = mlc_floats(job->context, r->input);
  uint32_t x = row % (uint32_t)r->output_width;
  uint32_t y = row / (uint32_t)r->output_width % (uint32_t)r->output_height;
  uint32_t batch = row / (uint32_t)r->output_width / (uint32_t)r->output_height;
  for (uint32_t i = 0; i < row_count; i++, to += inner_count) {
    gather_pixel(r, &plan, input + batch * image_floats, (int64_t)y * r->stride_height - r->pad_top,
                 (int64_t)x * r->stride_width - r->pad_left, inner_count, to);
    if (++x == (uint32_t)r->output_width) {
      x = 0;
      if (++y == (uint32_t)r->output_height) {
        y = 0;
        batch++;
      }
    }
  }
}

/* Whether the rows already lie in the image: a 1x1 kernel that skips nothing. */
static int is_pointwise(const mlc_conv2d_record *r) {
  return r->kernel_height == 1 && r->kernel_width == 1 && r->stride_height == 1 && r->stride_width == 1 &&
         r->pad_top == 0 && r->pad_left == 0 && r->output_height == r->input_height &&
         r->output_width == r->input_width;
}

static void run_task(void *argument, uint32_t task, uint32_t worker) {
  const conv_job *job = argument;
  const mlc_conv2d_record *r = job->record;
  const uint32_t group = task / job->blocks_per_group, groups = (uint32_t)r->groups;
  const size_t columns = (size_t)r->output_channels / groups, group_channels = (size_t)r->input_channels / groups;
  const size_t inner_count = (size_t)r->kernel_height * (size_t)r->kernel_width * group_channels;
  const size_t group_weights = (columns + MLC_PANEL_WIDTH - 1) / MLC_PANEL_WIDTH * MLC_PANEL_WIDTH * inner_count;
  const size_t offset = group * columns;
  const float *input = mlc_floats(job->context, r->input);
  const f32_gemm_problem problem = {
      .row_count = (uint32_t)r->batch * (uint32_t)r->output_height * (uint32_t)r->output_width,
      .column_count = (uint32_t)columns,
      .inner_count = (uint32_t)inner_count,
      .a = is_pointwise(r) ? input + group * group_channels : NULL,
      .a_stride = (size_t)r->input_channels,
      .gather = gather,
      .gather_argument = job,
      .gather_group = group,
      .b = mlc_floats(job->context, r->weights) + group * group_weights,
      .c = mlc_floats(job->context, r->output) + offset,
      .c_stride = (size_t)r->output_channels,
      .bias = r->flags & MLC_FLAG_HAS_BIAS ? mlc_floats(job->context, r->bias) + offset : NULL,
      .residual = r->flags & MLC_FLAG_HAS_RESIDUAL ? mlc_floats(job->context, r->residual) + offset : NULL,
      .activation = r->activation,
      .activation_alpha = r->activation_alpha,
      .activation_beta = r->activation_beta,
  };
  f32_gemm_run_block(job->context, &problem, &job->split, task % job->blocks_per_group, worker);
}

void mlc_run_conv2d(const mlc_context *context, const mlc_conv2d_record *r) {
  const uint32_t groups = (uint32_t)r->groups;
  const uint32_t inner_count =
      (uint32_t)r->kernel_height * (uint32_t)r->kernel_width * ((uint32_t)r->input_channels / groups);
  conv_job job = {context, r, {0}, 0};
  job.split = f32_gemm_plan_split(context, (uint32_t)r->batch * (uint32_t)r->output_height * (uint32_t)r->output_width,
                                  (uint32_t)r->output_channels / groups, inner_count, groups);
  job.blocks_per_group = job.split.row_blocks * job.split.panel_blocks;
  mlc_parallel_for(context, job.blocks_per_group * groups, run_task, &job);
}
