/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolution as a matrix product whose rows are output pixels. Those are read in place where the image
 * allows, or gathered block by block, never all at once. What gains from it is run by f32_winograd instead.
 */
#include "../f32_gemm/f32_gemm_driver.h"
#include "../f32_winograd/winograd_conv.h"

typedef struct {
  const mlc_context *context;
  const mlc_conv2d_record *record;
  f32_gemm_split split;
  uint32_t blocks_per_group;
  const float *image;                    /* of windows in place: what they are windows of */
  uint32_t image_height, image_width;    /* and its size */
  uint32_t batch;                        /* the image's number */
  uint32_t task_count;
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

/* `is_inside`, constant at every call: the window lies inside the image, so that there is nothing to clip. */
MLC_INLINE void gather_pixel(const mlc_conv2d_record *r, const window_plan *plan, const float *image, int64_t top,
                             int64_t left, const int is_inside, uint32_t inner_count, float *to) {
  uint32_t at = plan->first_float, run = plan->first_run;
  int64_t y = top + (int64_t)plan->first_row * r->dilation_height;
  while (inner_count > 0) {
    const uint32_t count = mlc_min_u32(plan->run_floats - at, inner_count);
    const int64_t x = left + (int64_t)run * r->dilation_width;
    if (is_inside) {
      mlc_copy_floats(to, image + (y * r->input_width + x) * r->input_channels + plan->group_start + at, count);
    } else {
      gather_run(r, plan, image, y, x, at, count, to);
    }
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
  const int64_t last_top = (int64_t)r->input_height - 1 - (int64_t)(r->kernel_height - 1) * r->dilation_height;
  const int64_t last_left = (int64_t)r->input_width - 1 - (int64_t)(r->kernel_width - 1) * r->dilation_width;
  for (uint32_t i = 0; i < row_count; i++, to += inner_count) {
    const int64_t top = (int64_t)y * r->stride_height - r->pad_top;
    const int64_t left = (int64_t)x * r->stride_width - r->pad_left;
    const float *image = input + batch * image_floats;
    if (top >= 0 && left >= 0 && top <= last_top && left <= last_left) {
      gather_pixel(r, &plan, image, top, left, 1, inner_count, to);
    } else {
      gather_pixel(r, &plan, image, top, left, 0, inner_count, to);
    }
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

static size_t inner_count_of(const mlc_conv2d_record *r) {
  return (size_t)r->kernel_height * (size_t)r->kernel_width * (size_t)(r->input_channels / r->groups);
}

/* What all ways to run a convolution have in common: one group's columns. */
static f32_gemm_problem problem_of(const conv_job *job, uint32_t group) {
  const mlc_conv2d_record *r = job->record;
  const size_t columns = (size_t)r->output_channels / (uint32_t)r->groups, inner_count = inner_count_of(r);
  const size_t group_weights = (columns + MLC_PANEL_WIDTH - 1) / MLC_PANEL_WIDTH * MLC_PANEL_WIDTH * inner_count;
  const size_t offset = group * columns;
  return (f32_gemm_problem){
      .column_count = (uint32_t)columns,
      .inner_count = (uint32_t)inner_count,
      .b = job->context->memory + r->weights + group * group_weights * mlc_weight_size_bytes(r->weights_type),
      .b_type = r->weights_type,
      .b_scales = mlc_scales(job->context, r->weights_type, r->weight_scales, offset),
      .c = mlc_floats(job->context, r->output) + offset,
      .c_stride = (size_t)r->output_channels + (size_t)r->output_gap,
      .bias = r->flags & MLC_FLAG_HAS_BIAS ? mlc_floats(job->context, r->bias) + offset : NULL,
      .residual = r->flags & MLC_FLAG_HAS_RESIDUAL ? mlc_floats(job->context, r->residual) + offset : NULL,
      .activation = r->activation,
      .activation_alpha = r->activation_alpha,
      .activation_beta = r->activation_beta,
  };
}

static void run_gathered(void *argument, uint32_t task, uint32_t worker) {
  const conv_job *job = argument;
  const mlc_conv2d_record *r = job->record;
  const uint32_t group = task / job->blocks_per_group;
  const size_t group_channels = (size_t)(r->input_channels / r->groups);
  f32_gemm_problem problem = problem_of(job, group);
  problem.row_count = (uint32_t)r->batch * (uint32_t)r->output_height * (uint32_t)r->output_width;
  problem.a = is_pointwise(r) ? mlc_floats(job->context, r->input) + group * group_channels : NULL;
  problem.a_stride = (size_t)r->input_channels;
  problem.gather = gather;
  problem.gather_argument = job;
  problem.gather_group = group;
  f32_gemm_run_block(job->context, &problem, &job->split, task % job->blocks_per_group, worker);
}

/* Rows of an image that reaches as far as its windows do, with zeros around. */
static void pad_rows(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const conv_job *job = argument;
  const mlc_conv2d_record *r = job->record;
  const size_t channels = (size_t)r->input_channels, row_floats = job->image_width * channels;
  const size_t left = mlc_min_u32((uint32_t)r->pad_left, job->image_width) * channels;
  const size_t inside = (size_t)mlc_min_i64((int64_t)r->input_width * r->input_channels, (int64_t)(row_floats - left));
  const float *input = mlc_floats(job->context, r->input) +
                       (size_t)job->batch * (size_t)r->input_height * (size_t)r->input_width * channels;
  const uint32_t end = mlc_task_start(job->image_height, job->task_count, task + 1);
  for (uint32_t row = mlc_task_start(job->image_height, job->task_count, task); row < end; row++) {
    float *to = job->context->shared_scratch + row * row_floats;
    const int64_t y = (int64_t)row - r->pad_top;
    if (y < 0 || y >= r->input_height) {
      mlc_zero_floats(to, row_floats);
    } else {
      mlc_zero_floats(to, left);
      mlc_copy_floats(to + left, input + (size_t)y * (size_t)r->input_width * channels, inside);
      mlc_zero_floats(to + left + inside, row_floats - left - inside);
    }
  }
}

static void run_in_place(void *argument, uint32_t task, uint32_t worker) {
  const conv_job *job = argument;
  const mlc_conv2d_record *r = job->record;
  const size_t channels = (size_t)r->input_channels, row_floats = job->image_width * channels;
  f32_gemm_problem problem = problem_of(job, 0);
  problem.row_count = (uint32_t)r->output_height * (uint32_t)r->output_width;
  problem.a = job->image;
  problem.a_stride = (size_t)r->stride_width * channels;
  problem.a_line_rows = (uint32_t)r->output_width;
  problem.a_line_stride = (size_t)r->stride_height * row_floats;
  problem.run_count = (uint32_t)r->kernel_height;
  problem.a_run_stride = (size_t)r->dilation_height * row_floats;
  const size_t image_floats = (size_t)problem.row_count * problem.c_stride;
  problem.c += job->batch * image_floats;
  if (problem.residual != NULL) problem.residual += job->batch * image_floats;
  f32_gemm_run_block(job->context, &problem, &job->split, task, worker);
}

typedef enum { WINDOWS_GATHERED, WINDOWS_IN_IMAGE, WINDOWS_IN_COPY } window_source;

/*
 * Windows are read in place, as rows that overlap, where each kernel row is one run of floats: in the image itself if it
 * reaches as far as the windows do, or in a padded copy if that is worth less than gathering. Sets the size of that image.
 */
static window_source choose_source(conv_job *job) {
  const mlc_conv2d_record *r = job->record;
  if (r->groups != 1 || (r->dilation_width != 1 && r->kernel_width != 1) || is_pointwise(r)) return WINDOWS_GATHERED;
  /* Images are worked on one by one: weights that do not stay in the cache would be read again for each. */
  const uint64_t weights = (uint64_t)inner_count_of(r) * (uint32_t)r->output_channels;
  if (r->batch > 1 && weights > 64 * 1024) return WINDOWS_GATHERED;
  const int64_t height = (int64_t)(r->output_height - 1) * r->stride_height +
                         (int64_t)(r->kernel_height - 1) * r->dilation_height + 1;
  const int64_t width = (int64_t)(r->output_width - 1) * r->stride_width + r->kernel_width;
  if (r->pad_top == 0 && r->pad_left == 0 && height <= r->input_height && width <= r->input_width) {
    job->image_height = (uint32_t)r->input_height;
    job->image_width = (uint32_t)r->input_width;
    return WINDOWS_IN_IMAGE;
  }
  const int64_t room = MLC_SHARED_SCRATCH_FLOAT_COUNT / r->input_channels;
  if (height > room || width > room || height * width > room) return WINDOWS_GATHERED;
  const uint64_t gathered = (uint64_t)r->output_height * (uint64_t)r->output_width * inner_count_of(r);
  if ((uint64_t)(height * width) * (uint64_t)r->input_channels * 2 > gathered) return WINDOWS_GATHERED;
  job->image_height = (uint32_t)height;
  job->image_width = (uint32_t)width;
  return WINDOWS_IN_COPY;
}

static void run_images(conv_job *job, window_source source) {
  const mlc_context *context = job->context;
  const mlc_conv2d_record *r = job->record;
  const size_t image_floats = (size_t)r->input_height * (size_t)r->input_width * (size_t)r->input_channels;
  for (job->batch = 0; job->batch < (uint32_t)r->batch; job->batch++) {
    job->image = mlc_floats(context, r->input) + job->batch * image_floats;
    if (source == WINDOWS_IN_COPY) {
      job->image = context->shared_scratch;
      job->task_count = mlc_task_count(context, job->image_height, (uint64_t)job->image_width * (uint64_t)r->input_channels);
      mlc_parallel_for(context, job->task_count, pad_rows, job);
    }
    f32_gemm_for(context, &job->split, job->split.row_blocks * job->split.panel_blocks, run_in_place, job);
  }
}

void mlc_run_conv2d(const mlc_context *context, const mlc_conv2d_record *r) {
  if (f32_winograd_pays(context->kernels, r)) {
    f32_winograd_run(context, r);
    return;
  }
  const uint32_t groups = (uint32_t)r->groups;
  conv_job job = {.context = context, .record = r};
  const window_source source = choose_source(&job);
  const uint32_t images = source == WINDOWS_GATHERED ? (uint32_t)r->batch : 1;
  job.split = f32_gemm_plan_split(context, images * (uint32_t)r->output_height * (uint32_t)r->output_width,
                                  (uint32_t)r->output_channels / groups, (uint32_t)inner_count_of(r), groups);
  job.blocks_per_group = job.split.row_blocks * job.split.panel_blocks;
  if (source != WINDOWS_GATHERED) {
    run_images(&job, source);
    return;
  }
  f32_gemm_for(context, &job.split, job.blocks_per_group * groups, run_gathered, &job);
}
