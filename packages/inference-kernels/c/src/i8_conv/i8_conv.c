/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolution of bytes as a matrix product whose rows are output pixels. Windows are read in place, in the image itself where
 * it reaches as far as they do and its channels come in fours, or in a copy of the part of it that one task needs.
 */
#include "../core/context.h"
#include "../math/window.h"

/* Products per task below which another thread costs more than it gives. */
#define CONV_GRAIN (1024 * 1024)
/* What a task should find in its second-level cache of the image. */
#define BAND_BYTES (192 * 1024)
#define SCRATCH_BYTES (MLC_SCRATCH_FLOAT_COUNT * sizeof(float))

typedef struct {
  const mlc_context *context;
  const mlc_quantized_conv2d_record *record;
  uint32_t group_inputs, group_outputs; /* channels */
  uint32_t padded_inputs;               /* group_inputs in whole fours */
  uint32_t panel_count;                 /* of a group */
  size_t panel_bytes;
  uint32_t copy_width;                  /* pixels of a row of the copy; 0 where windows are read in the image */
  uint32_t band_rows, band_count;       /* output rows of a task, and tasks that make up an image */
  uint32_t panel_blocks, image_count;
  i8_requantization to;
} conv_job;

static int is_moderate(float scale) { return scale > 1e-15f && scale < 1e15f; }

static i8_requantization requantization_of(const mlc_quantized_conv2d_record *r) {
  const int moderate = is_moderate(r->scale) && is_moderate(r->residual_scale) && is_moderate(r->sum_scale);
  return (i8_requantization){.low = (float)(r->low - r->zero),
                             .high = (float)(r->high - r->zero),
                             .zero = r->zero,
                             .scale = r->scale,
                             .residual_zero = r->residual_zero,
                             .residual_scale = r->residual_scale,
                             .sum_scale = r->sum_scale,
                             .sum_low = (float)(r->sum_low - r->sum_zero),
                             .sum_high = (float)(r->sum_high - r->sum_zero),
                             .sum_zero = r->sum_zero,
                             .sum_reciprocal = moderate ? 1.0f / r->sum_scale : 0.0f};
}

/* Rows of the image that so many output rows' windows span. */
static int64_t spanned_rows(const mlc_quantized_conv2d_record *r, uint32_t output_rows) {
  return (int64_t)(output_rows - 1) * r->stride_height + (int64_t)(r->kernel_height - 1) * r->dilation_height + 1;
}

static int64_t spanned_columns(const mlc_quantized_conv2d_record *r) {
  return (int64_t)(r->output_width - 1) * r->stride_width + (int64_t)(r->kernel_width - 1) * r->dilation_width + 1;
}

static int is_in_place(const conv_job *job) {
  const mlc_quantized_conv2d_record *r = job->record;
  return job->group_inputs % 4 == 0 && r->pad_top == 0 && r->pad_left == 0 &&
         spanned_rows(r, (uint32_t)r->output_height) <= r->input_height && spanned_columns(r) <= r->input_width;
}

/* Pixels outside the image. The bytes that fill up the fours are zero everywhere: weights then need not be. */
static void fill_outside(const conv_job *job, uint8_t *to, size_t pixel_count) {
  const size_t padded = job->padded_inputs, channels = job->group_inputs;
  __builtin_memset(to, job->record->input_zero, pixel_count * padded);
  if (channels == padded) return;
  for (size_t x = 0; x < pixel_count; x++) {
    for (size_t c = channels; c < padded; c++) to[x * padded + c] = 0;
  }
}

/* Copies what `row_count` rows of windows from `top` on span, channels in whole fours. */
static void copy_band(const conv_job *job, const uint8_t *image, int64_t top, uint32_t row_count, uint8_t *to) {
  const mlc_quantized_conv2d_record *r = job->record;
  const size_t padded = job->padded_inputs, channels = job->group_inputs, row_bytes = job->copy_width * padded;
  const size_t left = mlc_min_u32((uint32_t)r->pad_left, job->copy_width);
  const size_t inside = mlc_min_u32((uint32_t)r->input_width, job->copy_width - (uint32_t)left);
  for (uint32_t row = 0; row < row_count; row++, to += row_bytes) {
    const int64_t y = top + row;
    if (y < 0 || y >= r->input_height) {
      fill_outside(job, to, job->copy_width);
      continue;
    }
    const uint8_t *from = image + (size_t)y * (size_t)r->input_width * (size_t)r->input_channels;
    uint8_t *pixel = to + left * padded;
    fill_outside(job, to, left);
    if (channels == padded && r->groups == 1) {
      __builtin_memcpy(pixel, from, inside * channels);
    } else if (channels == 3 && r->groups == 1) {
      /* Four bytes at a time, of which the last belongs to the next pixel; behind the last one there may be no more memory. */
      for (size_t x = 0; x + 1 < inside; x++) {
        uint32_t four;
        __builtin_memcpy(&four, from + 3 * x, 4);
        four &= 0xffffff;
        __builtin_memcpy(pixel + 4 * x, &four, 4);
      }
      for (size_t c = 0; c < 4 && inside > 0; c++) pixel[4 * (inside - 1) + c] = c < 3 ? from[3 * (inside - 1) + c] : 0;
    } else {
      for (size_t x = 0; x < inside; x++, from += r->input_channels) {
        __builtin_memcpy(pixel + x * padded, from, channels);
        __builtin_memset(pixel + x * padded + channels, 0, padded - channels);
      }
    }
    fill_outside(job, pixel + inside * padded, job->copy_width - left - inside);
  }
}

static void run_task(void *argument, uint32_t task, uint32_t worker) {
  const conv_job *job = argument;
  const mlc_quantized_conv2d_record *r = job->record;
  const uint32_t panel_block = task % job->panel_blocks;
  uint32_t rest = task / job->panel_blocks;
  const uint32_t band = rest % job->band_count;
  rest /= job->band_count;
  const uint32_t image_number = rest % job->image_count, group = rest / job->image_count;
  /* Seams between blocks lie between pairs of panels. */
  const uint32_t pairs = mlc_ceil_div(job->panel_count, 2);
  const uint32_t panel = 2 * mlc_task_start(pairs, job->panel_blocks, panel_block);
  const uint32_t panel_end =
      mlc_min_u32(2 * mlc_task_start(pairs, job->panel_blocks, panel_block + 1), job->panel_count);
  const uint32_t row = band * job->band_rows;
  const uint32_t row_count = mlc_min_u32(job->band_rows, (uint32_t)r->output_height - row);
  const size_t image_bytes = (size_t)r->input_height * (size_t)r->input_width * (size_t)r->input_channels;
  const size_t channels = job->padded_inputs;
  const uint8_t *image = job->context->memory + r->input + image_number * image_bytes + group * job->group_inputs;
  const size_t output = ((size_t)image_number * (size_t)r->output_height + row) * (size_t)r->output_width *
                            (size_t)r->output_channels + group * job->group_outputs + panel * 16;
  const int64_t top = (int64_t)row * r->stride_height - r->pad_top;
  size_t pixel_bytes = (size_t)r->input_channels, row_bytes = (size_t)r->input_width * pixel_bytes;
  i8_gemm_args args = {
      .row_count = row_count * (uint32_t)r->output_width,
      .column_count = mlc_min_u32(panel_end * 16, job->group_outputs) - panel * 16,
      .line_rows = (uint32_t)r->output_width,
      .run_lines = (uint32_t)r->kernel_height,
      .b = job->context->memory + r->weights + (group * job->panel_count + panel) * job->panel_bytes,
      .panel_bytes = job->panel_bytes,
      .c = job->context->memory + r->output + output,
      .residual = r->flags & MLC_FLAG_HAS_RESIDUAL ? job->context->memory + r->residual + output : NULL,
      .c_stride = (size_t)r->output_channels,
      .to = job->to,
  };
  if (job->copy_width == 0) {
    args.a = image + (size_t)top * row_bytes;
  } else {
    uint8_t *copy = (uint8_t *)mlc_scratch(job->context, worker);
    copy_band(job, image, top, (uint32_t)spanned_rows(r, row_count), copy);
    args.a = copy;
    pixel_bytes = channels;
    row_bytes = job->copy_width * channels;
  }
  args.a_stride = (size_t)r->stride_width * pixel_bytes;
  args.line_stride = (size_t)r->stride_height * row_bytes;
  args.run_stride = (size_t)r->dilation_height * row_bytes;
  /* Taps that lie side by side are one piece. */
  const int joined = r->kernel_width == 1 || (r->dilation_width == 1 && pixel_bytes == channels);
  args.run_pieces = joined ? 1 : (uint32_t)r->kernel_width;
  args.piece_bytes = joined ? (size_t)r->kernel_width * channels : channels;
  args.piece_stride = (size_t)r->dilation_width * pixel_bytes;
  job->context->kernels->i8_gemm(&args);
}

/* One byte, straight from the image: for windows whose rows do not fit into the scratch. */
static uint8_t convolved(const conv_job *job, const uint8_t *image, uint32_t group, uint32_t column, int64_t top,
                         int64_t left, const uint8_t *residual) {
  const mlc_quantized_conv2d_record *r = job->record;
  const size_t fours = job->padded_inputs / 4;
  const uint8_t *panel = job->context->memory + r->weights + (group * job->panel_count + column / 16) * job->panel_bytes;
  const uint32_t n = column % 16;
  uint32_t sum;
  float multiplier;
  __builtin_memcpy(&sum, panel + 4 * n, 4);
  __builtin_memcpy(&multiplier, panel + 64 + 4 * n, 4);
  for (int64_t kh = 0; kh < r->kernel_height; kh++) {
    for (int64_t kw = 0; kw < r->kernel_width; kw++) {
      const int64_t y = top + kh * r->dilation_height, x = left + kw * r->dilation_width;
      const int inside = y >= 0 && x >= 0 && y < r->input_height && x < r->input_width;
      const uint8_t *from = inside ? image + (y * r->input_width + x) * r->input_channels : NULL;
      const int8_t *weights = (const int8_t *)panel + I8_PANEL_HEADER_BYTES +
                              (size_t)(kh * r->kernel_width + kw) * fours * 64 + 4 * n;
      for (uint32_t c = 0; c < job->group_inputs; c++) {
        sum += (uint32_t)((inside ? from[c] : r->input_zero) * weights[c / 4 * 64 + c % 4]);
      }
    }
  }
  const i8_requantization *to = &job->to;
  float value = i8_bounded((float)(int32_t)sum * multiplier, to->low, to->high);
  if (residual == NULL) return (uint8_t)((int32_t)value + to->zero);
  value = value * to->scale + (float)(*residual - to->residual_zero) * to->residual_scale;
  return (uint8_t)((int32_t)i8_bounded(value / to->sum_scale, to->sum_low, to->sum_high) + to->sum_zero);
}

static void run_plain_task(void *argument, uint32_t task, uint32_t worker MLC_UNUSED) {
  const conv_job *job = argument;
  const mlc_quantized_conv2d_record *r = job->record;
  const uint32_t width = (uint32_t)r->output_width, outputs = (uint32_t)r->output_channels;
  const size_t image_bytes = (size_t)r->input_height * (size_t)r->input_width * (size_t)r->input_channels;
  const uint8_t *image = job->context->memory + r->input + task / (uint32_t)r->output_height * image_bytes;
  const int64_t top = (int64_t)(task % (uint32_t)r->output_height) * r->stride_height - r->pad_top;
  size_t at = (size_t)task * width * outputs;
  for (uint32_t x = 0; x < width; x++) {
    const int64_t left = (int64_t)x * r->stride_width - r->pad_left;
    for (uint32_t n = 0; n < outputs; n++, at++) {
      const uint32_t group = n / job->group_outputs;
      const uint8_t *residual = r->flags & MLC_FLAG_HAS_RESIDUAL ? job->context->memory + r->residual + at : NULL;
      job->context->memory[r->output + at] = convolved(job, image + group * job->group_inputs, group,
                                                       n % job->group_outputs, top, left, residual);
    }
  }
}

/* Chooses band_rows, so that the copy of a band fits; 0 where not even that of one row does. */
static uint32_t most_band_rows(conv_job *job) {
  const mlc_quantized_conv2d_record *r = job->record;
  const int64_t columns = spanned_columns(r), channels = job->padded_inputs;
  const int64_t room = (int64_t)SCRATCH_BYTES / channels;
  if (columns > room || spanned_rows(r, 1) > room / columns) return 0;
  job->copy_width = (uint32_t)columns;
  const int64_t room_rows = mlc_max_i64(BAND_BYTES / (columns * channels), spanned_rows(r, 1));
  return (uint32_t)mlc_min_i64((room_rows - spanned_rows(r, 1)) / r->stride_height + 1, r->output_height);
}

void mlc_run_quantized_conv2d(const mlc_context *context, const mlc_quantized_conv2d_record *r) {
  conv_job job = {.context = context,
                  .record = r,
                  .group_inputs = (uint32_t)(r->input_channels / r->groups),
                  .group_outputs = (uint32_t)(r->output_channels / r->groups),
                  .image_count = (uint32_t)r->batch,
                  .to = requantization_of(r)};
  const uint64_t taps = (uint64_t)r->kernel_height * (uint64_t)r->kernel_width;
  job.padded_inputs = mlc_ceil_div(job.group_inputs, 4) * 4;
  job.panel_count = mlc_ceil_div(job.group_outputs, MLC_PANEL_WIDTH);
  job.panel_bytes = I8_PANEL_HEADER_BYTES + taps * job.padded_inputs * MLC_PANEL_WIDTH;
  const uint64_t row_work = (uint64_t)r->output_width * job.group_outputs * taps * job.padded_inputs;
  uint32_t most_rows;
  if (is_in_place(&job)) {
    const uint64_t row_bytes = (uint64_t)r->output_width * job.padded_inputs * (uint64_t)r->stride_height;
    most_rows = mlc_min_u32((uint32_t)(BAND_BYTES / mlc_min_i64((int64_t)row_bytes, BAND_BYTES)), (uint32_t)r->output_height);
  } else {
    most_rows = most_band_rows(&job);
    if (most_rows == 0) {
      mlc_parallel_for(context, (uint32_t)r->batch * (uint32_t)r->output_height, run_plain_task, &job);
      return;
    }
  }
  const uint32_t height = (uint32_t)r->output_height;
  uint64_t bands = mlc_ceil_div(height, most_rows), blocks = 1;
  if (context->worker_count > 1) {
    const uint64_t images = (uint64_t)r->batch * (uint32_t)r->groups;
    uint64_t wanted = mlc_min_i64((int64_t)context->worker_count * 4, (int64_t)(row_work * height * images / CONV_GRAIN));
    wanted = (wanted + images - 1) / images;
    /* Each task reads its part of the image and its panels: the larger of the two is the one to share out. */
    const uint64_t pairs = mlc_ceil_div(job.panel_count, 2);
    const int weights_first = job.panel_count * job.panel_bytes >
                              (uint64_t)r->input_height * (uint64_t)r->input_width * job.padded_inputs;
    for (int i = 0; i < 2 && bands * blocks < wanted; i++) {
      if (weights_first == (i == 0)) blocks = (uint64_t)mlc_min_i64((int64_t)((wanted + bands - 1) / bands), (int64_t)pairs);
      else bands = (uint64_t)mlc_max_i64((int64_t)bands, mlc_min_i64((int64_t)((wanted + blocks - 1) / blocks), height));
    }
  }
  job.band_rows = mlc_ceil_div(height, (uint32_t)bands);
  job.band_count = mlc_ceil_div(height, job.band_rows);
  job.panel_blocks = (uint32_t)blocks;
  mlc_parallel_for(context, job.panel_blocks * job.band_count * job.image_count * (uint32_t)r->groups, run_task, &job);
}
