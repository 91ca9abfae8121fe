/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of tiles at a time: all workers transform its windows into the shared scratch; then each takes panels of output
 * channels, transforms their kernels a part at a time, multiplies, and turns the sums into outputs. Kernels are transformed
 * anew for each block: kept transformed, weights would take four times their memory.
 */
#include "winograd_conv.h"

#include "f32_winograd.h"

/* Panels of output channels that a task computes: the width of the widest tile of f32_gemm. */
#define GROUP_PANELS 2
#define GROUP_COLUMNS (GROUP_PANELS * MLC_PANEL_WIDTH)
/* Input channels of a block of transformed kernels. */
#define BLOCK_CHANNELS 512
#define MAX_BLOCK_TILES 196
/* Between planes, so that lines of all planes do not fall on one set of the cache. */
#define PLANE_PAD 16

/* Shared scratch: transformed windows. A worker's scratch: transformed kernels of a part, then sums. */
#define KERNEL_FLOATS (F32_WINOGRAD_PART_PLANES * (BLOCK_CHANNELS * GROUP_COLUMNS + PLANE_PAD))
#define SUM_FLOATS (F32_WINOGRAD_PLANES * (MAX_BLOCK_TILES * GROUP_COLUMNS + PLANE_PAD))
_Static_assert(KERNEL_FLOATS + SUM_FLOATS <= MLC_SCRATCH_FLOAT_COUNT, "scratch");

typedef struct {
  const mlc_context *context;
  const mlc_conv2d_record *record;
  uint32_t tile_rows, tile_columns; /* of one image */
  uint32_t first_tile, tile_count;  /* of the block */
  uint32_t task_count;
  size_t window_stride; /* floats between planes of transformed windows */
} winograd_job;

static uint32_t tiles_across(int32_t size) { return mlc_ceil_div((uint32_t)size, F32_WINOGRAD_TILE); }

static uint32_t max_block_tiles(uint32_t channels) {
  const uint32_t room = MLC_SHARED_SCRATCH_FLOAT_COUNT / F32_WINOGRAD_PLANES - PLANE_PAD;
  return mlc_min_u32(room / channels, MAX_BLOCK_TILES);
}

int f32_winograd_pays(const mlc_kernel_set *kernels, const mlc_conv2d_record *r) {
  if (r->kernel_height != 3 || r->kernel_width != 3 || r->stride_height != 1 || r->stride_width != 1 ||
      r->dilation_height != 1 || r->dilation_width != 1 || r->groups != 1) {
    return 0;
  }
  const uint32_t inputs = (uint32_t)r->input_channels;
  if (inputs < MLC_PANEL_WIDTH || r->output_channels < MLC_PANEL_WIDTH || max_block_tiles(inputs) < 12) return 0;
  /* In products of one vector of 16, or what takes as long. */
  const uint64_t tiles = (uint64_t)r->batch * tiles_across(r->output_height) * tiles_across(r->output_width);
  const uint64_t pixels = (uint64_t)r->batch * (uint64_t)r->output_height * (uint64_t)r->output_width;
  const uint64_t panels = mlc_ceil_div((uint32_t)r->output_channels, MLC_PANEL_WIDTH);
  const uint64_t blocks = (tiles + max_block_tiles(inputs) - 1) / max_block_tiles(inputs);
  /* Far below a whole tile of rows, products wait for their operands. */
  const uint64_t whole = kernels->gemm_tile_rows;
  const uint64_t rows = tiles < whole ? (tiles + whole) / 2 : tiles;
  const uint64_t cost = rows * F32_WINOGRAD_PLANES * inputs * panels + blocks * 130 * inputs * panels +
                        tiles * 16 * inputs + tiles * 240 * panels;
  return cost + cost / 8 < pixels * 9 * inputs * panels;
}

static void transform_windows(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const winograd_job *job = argument;
  const mlc_conv2d_record *r = job->record;
  const size_t image_floats = (size_t)r->input_height * (size_t)r->input_width * (size_t)r->input_channels;
  const uint32_t tiles_per_image = job->tile_rows * job->tile_columns;
  const uint32_t end = mlc_task_start(job->tile_count, job->task_count, task + 1);
  for (uint32_t i = mlc_task_start(job->tile_count, job->task_count, task); i < end; i++) {
    const uint32_t tile = job->first_tile + i, at = tile % tiles_per_image;
    const f32_winograd_window_args args = {
        .image = mlc_floats(job->context, r->input) + tile / tiles_per_image * image_floats,
        .height = (uint32_t)r->input_height,
        .width = (uint32_t)r->input_width,
        .channel_count = (uint32_t)r->input_channels,
        .top = (int64_t)(at / job->tile_columns) * F32_WINOGRAD_TILE - r->pad_top,
        .left = (int64_t)(at % job->tile_columns) * F32_WINOGRAD_TILE - r->pad_left,
        .to = job->context->shared_scratch + (size_t)i * (size_t)r->input_channels,
        .plane_stride = job->window_stride,
    };
    job->context->kernels->winograd->window(&args);
  }
}

/* Sums of all planes for a group of panels, into the worker's scratch. */
static void multiply(const winograd_job *job, uint32_t panel, uint32_t panel_count, float *kernels, float *sums,
                     size_t sum_stride) {
  const mlc_conv2d_record *r = job->record;
  const uint32_t inputs = (uint32_t)r->input_channels;
  const size_t tap_stride = (size_t)inputs * MLC_PANEL_WIDTH;
  const size_t size = mlc_weight_size_bytes(r->weights_type);
  const uint8_t *weights = job->context->memory + r->weights + panel * 9 * tap_stride * size;
  const float *scales = mlc_scales(job->context, r->weights_type, r->weight_scales, 0);
  for (uint32_t part = 0; part < F32_WINOGRAD_PARTS; part++) {
    for (uint32_t channel = 0; channel < inputs; channel += BLOCK_CHANNELS) {
      const uint32_t channel_count = mlc_min_u32(BLOCK_CHANNELS, inputs - channel);
      const size_t panel_floats = (size_t)channel_count * MLC_PANEL_WIDTH;
      const size_t plane_stride = panel_count * panel_floats + PLANE_PAD;
      for (uint32_t i = 0; i < panel_count; i++) {
        float room[MLC_PANEL_WIDTH];
        const f32_winograd_kernel_args args = {
            .weights = weights + (i * 9 * tap_stride + (size_t)channel * MLC_PANEL_WIDTH) * size,
            .weights_type = r->weights_type,
            .scales = mlc_panel_scales(scales, (panel + i) * MLC_PANEL_WIDTH, (uint32_t)r->output_channels, room),
            .tap_stride = tap_stride,
            .channel_count = channel_count,
            .part = part,
            .to = kernels + i * panel_floats,
            .plane_stride = plane_stride,
        };
        job->context->kernels->winograd->kernel(&args);
      }
      for (uint32_t j = 0; j < F32_WINOGRAD_PART_PLANES; j++) {
        const size_t plane = f32_winograd_part_row(part, j / F32_WINOGRAD_WINDOW) * F32_WINOGRAD_WINDOW +
                             j % F32_WINOGRAD_WINDOW;
        float *c = sums + plane * sum_stride;
        const f32_gemm_args args = {
            .row_count = job->tile_count,
            .panel_count = panel_count,
            .inner_count = channel_count,
            .a = job->context->shared_scratch + plane * job->window_stride + channel,
            .a_stride = inputs,
            .b = kernels + j * plane_stride,
            .b_panel_stride = panel_floats,
            .c = c,
            .c_stride = panel_count * MLC_PANEL_WIDTH,
            .init = channel == 0 ? NULL : c,
            .init_stride = panel_count * MLC_PANEL_WIDTH,
            .clamp_min = -MLC_INFINITY,
            .clamp_max = MLC_INFINITY,
        };
        job->context->kernels->gemm(&args);
      }
    }
  }
}

/* What clamping is not, applied to the outputs of a tile. */
static void activate(const winograd_job *job, const f32_winograd_output_args *tile) {
  const mlc_conv2d_record *r = job->record;
  for (uint32_t i = 0; i < tile->row_count; i++) {
    for (uint32_t j = 0; j < tile->column_count; j++) {
      job->context->kernels->activate(r->activation, r->activation_alpha, r->activation_beta,
                                      tile->output + i * tile->row_stride + j * tile->pixel_stride,
                                      tile->channel_count);
    }
  }
}

static void run_group(void *argument, uint32_t task, uint32_t worker) {
  const winograd_job *job = argument;
  const mlc_context *context = job->context;
  const mlc_conv2d_record *r = job->record;
  const uint32_t outputs = (uint32_t)r->output_channels, first_channel = task * GROUP_COLUMNS;
  const size_t pixel_stride = outputs + (size_t)r->output_gap;
  const uint32_t channel_count = mlc_min_u32(GROUP_COLUMNS, outputs - first_channel);
  const uint32_t panel_count = mlc_ceil_div(channel_count, MLC_PANEL_WIDTH);
  float *kernels = mlc_scratch(context, worker), *sums = kernels + KERNEL_FLOATS;
  const size_t sum_stride = (size_t)job->tile_count * panel_count * MLC_PANEL_WIDTH + PLANE_PAD;
  multiply(job, task * GROUP_PANELS, panel_count, kernels, sums, sum_stride);

  const int clamps = r->activation == MLC_ACTIVATION_CLAMP;
  const uint32_t tiles_per_image = job->tile_rows * job->tile_columns;
  f32_winograd_output_args args = {
      .plane_stride = sum_stride,
      .bias = r->flags & MLC_FLAG_HAS_BIAS ? mlc_floats(context, r->bias) + first_channel : NULL,
      .pixel_stride = pixel_stride,
      .row_stride = (size_t)r->output_width * pixel_stride,
      .channel_count = channel_count,
      .clamp_min = clamps ? r->activation_alpha : -MLC_INFINITY,
      .clamp_max = clamps ? r->activation_beta : MLC_INFINITY,
  };
  for (uint32_t i = 0; i < job->tile_count; i++) {
    const uint32_t tile = job->first_tile + i, at = tile % tiles_per_image;
    const uint32_t y = at / job->tile_columns * F32_WINOGRAD_TILE, x = at % job->tile_columns * F32_WINOGRAD_TILE;
    const size_t row = (size_t)(tile / tiles_per_image) * (uint32_t)r->output_height + y;
    const size_t offset = (row * (uint32_t)r->output_width + x) * pixel_stride + first_channel;
    args.from = sums + (size_t)i * panel_count * MLC_PANEL_WIDTH;
    args.output = mlc_floats(context, r->output) + offset;
    args.residual = r->flags & MLC_FLAG_HAS_RESIDUAL ? mlc_floats(context, r->residual) + offset : NULL;
    args.row_count = mlc_min_u32(F32_WINOGRAD_TILE, (uint32_t)r->output_height - y);
    args.column_count = mlc_min_u32(F32_WINOGRAD_TILE, (uint32_t)r->output_width - x);
    context->kernels->winograd->output(&args);
    if (!clamps && r->activation != MLC_ACTIVATION_NONE) activate(job, &args);
  }
}

void f32_winograd_run(const mlc_context *context, const mlc_conv2d_record *r) {
  const uint32_t inputs = (uint32_t)r->input_channels;
  winograd_job job = {
      .context = context,
      .record = r,
      .tile_rows = tiles_across(r->output_height),
      .tile_columns = tiles_across(r->output_width),
  };
  const uint32_t tile_count = (uint32_t)r->batch * job.tile_rows * job.tile_columns;
  const uint32_t block_count = mlc_ceil_div(tile_count, max_block_tiles(inputs));
  for (uint32_t block = 0; block < block_count; block++) {
    job.first_tile = mlc_task_start(tile_count, block_count, block);
    job.tile_count = mlc_task_start(tile_count, block_count, block + 1) - job.first_tile;
    job.window_stride = (size_t)job.tile_count * inputs + PLANE_PAD;
    job.task_count = mlc_task_count(context, job.tile_count, (uint64_t)inputs * F32_WINOGRAD_PLANES * 8);
    mlc_parallel_for(context, job.task_count, transform_windows, &job);
    mlc_parallel_for(context, mlc_ceil_div((uint32_t)r->output_channels, GROUP_COLUMNS), run_group, &job);
  }
}
