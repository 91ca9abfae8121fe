/* SPDX-License-Identifier: Apache-2.0 */
/* Valid records of random shape. Sizes stay small enough for plain loops, and cross every tile and panel edge. */
#include "random_quantized.h"

uint32_t random_take(random_room *r, uint64_t float_count, uint32_t alignment) {
  const uint32_t start = (r->at + random_below(5) * 4 + alignment - 1) / alignment * alignment;
  if (start + float_count * 4 > r->size) return UINT32_MAX;
  r->at = start + (uint32_t)float_count * 4;
  return start;
}

uint32_t random_bytes(random_room *r, uint64_t byte_count) {
  const uint32_t start = random_take(r, (byte_count + 6) / 4, 4), gap = random_below(4);
  return start == UINT32_MAX ? UINT32_MAX : start + gap;
}

int32_t random_between(uint32_t low, uint32_t high) { return (int32_t)(low + random_below(high - low + 1)); }

int32_t random_some(uint32_t high) { return random_below(4) == 0 ? 1 : random_between(1, high); }

/* Takes weights of a random type, and their scales. */
static void take_weights(random_room *m, uint64_t count, int32_t columns, int32_t *type, uint32_t *weights, uint32_t *scales) {
  *type = (int32_t)random_below(MLC_WEIGHTS_TYPE_COUNT);
  *weights = random_take(m, (count * mlc_weight_size_bytes(*type) + 3) / 4, 64);
  *scales = random_take(m, (uint64_t)columns, 4);
}

static void random_activation(int32_t *kind, float *alpha, float *beta) {
  *kind = (int32_t)random_below(MLC_ACTIVATION_COUNT);
  *alpha = *kind == MLC_ACTIVATION_CLAMP ? -0.5f : 0.125f;
  *beta = 0.75f;
}

int32_t random_axis(int32_t input, int32_t *kernel, int32_t *stride, int32_t *before, int32_t *after,
                    int32_t *dilation) {
  *kernel = random_below(3) == 0 ? 1 : random_between(1, 5);
  *stride = random_between(1, 3);
  *dilation = random_below(3) == 0 ? random_between(2, 3) : 1;
  *before = random_between(0, (uint32_t)*kernel);
  *after = random_between(0, (uint32_t)*kernel);
  const int32_t span = (*kernel - 1) * *dilation + 1, room = input + *before + *after - span;
  return room < 0 ? 0 : room / *stride + 1;
}

static int random_conv(random_room *m, mlc_conv2d_record *r) {
  int32_t after;
  RANDOM_WINDOWS(r, 12, 12, &after, &after);
  RANDOM_GROUPS(r, 50);
  if (random_below(4) == 0) { /* pointwise: the path that gathers nothing */
    r->kernel_height = r->kernel_width = r->stride_height = r->stride_width = 1;
    r->pad_top = r->pad_left = 0;
    r->output_height = r->input_height;
    r->output_width = r->input_width;
  }
  if (random_below(4) == 0) { /* what f32_winograd runs, with tiles and vectors that are cut */
    r->kernel_height = r->kernel_width = 3;
    r->stride_height = r->stride_width = r->dilation_height = r->dilation_width = r->groups = 1;
    r->input_height = random_between(10, 20);
    r->input_width = random_between(10, 20);
    r->pad_top = random_between(0, 2);
    r->pad_left = random_between(0, 2);
    r->output_height = r->input_height + r->pad_top - 2 + random_between(0, 2);
    r->output_width = r->input_width + r->pad_left - 2 + random_between(0, 2);
    r->input_channels = random_between(16, 40);
    r->output_channels = random_between(16, 70);
  }
  r->flags = (int32_t)random_below(4);
  random_activation(&r->activation, &r->activation_alpha, &r->activation_beta);
  const uint64_t columns = (uint64_t)(r->output_channels / r->groups + 15) / 16 * 16 * (uint64_t)r->groups;
  const uint64_t inner = (uint64_t)(r->kernel_height * r->kernel_width * (r->input_channels / r->groups));
  r->output_gap = r->groups == 1 && random_below(3) == 0 ? random_some(20) : 0;
  const uint64_t outputs =
      (uint64_t)(r->batch * r->output_height * r->output_width * (r->output_channels + r->output_gap));
  r->input = random_take(m, (uint64_t)(r->batch * r->input_height * r->input_width * r->input_channels), 4);
  take_weights(m, columns * inner, r->output_channels, &r->weights_type, &r->weights, &r->weight_scales);
  r->bias = random_take(m, (uint64_t)r->output_channels, 4);
  r->residual = random_take(m, outputs, 4);
  r->output = random_below(4) == 0 && r->flags & MLC_FLAG_HAS_RESIDUAL ? r->residual : random_take(m, outputs, 4);
  return outputs > 0 && r->output != UINT32_MAX && r->residual != UINT32_MAX && r->weights != UINT32_MAX;
}

static int random_depthwise(random_room *m, mlc_depthwise_conv2d_record *r) {
  int32_t after;
  RANDOM_WINDOWS(r, 14, 20, &after, &after);
  r->channels = random_some(40);
  r->flags = (int32_t)random_below(2);
  random_activation(&r->activation, &r->activation_alpha, &r->activation_beta);
  const uint64_t outputs = (uint64_t)(r->batch * r->output_height * r->output_width * r->channels);
  r->weights = random_take(m, (uint64_t)((r->channels + 15) / 16 * 16 * r->kernel_height * r->kernel_width), 64);
  r->bias = random_take(m, (uint64_t)r->channels, 4);
  r->output = random_take(m, outputs, 4);
  r->input = random_take(m, (uint64_t)(r->batch * r->input_height * r->input_width * r->channels), 4);
  return outputs > 0 && r->input != UINT32_MAX && r->output != UINT32_MAX;
}

static int random_pool(random_room *m, mlc_pool2d_record *r) {
  RANDOM_WINDOWS(r, 14, 14, &r->pad_bottom, &r->pad_right);
  r->channels = random_some(40);
  r->pool = (int32_t)random_below(MLC_POOL_COUNT);
  r->count_include_pad = (int32_t)random_below(2);
  const uint64_t outputs = (uint64_t)(r->batch * r->output_height * r->output_width * r->channels);
  r->input = random_take(m, (uint64_t)(r->batch * r->input_height * r->input_width * r->channels), 4);
  r->output = random_take(m, outputs, 4);
  return outputs > 0 && r->output != UINT32_MAX && r->input != UINT32_MAX;
}

static int random_dense(random_room *m, mlc_dense_record *r) {
  r->row_count = random_below(4) == 0 ? random_between(90, 210) : random_some(16);
  r->inner_count = random_below(3) == 0 ? random_between(200, 700) : random_some(40);
  r->column_count = random_below(4) == 0 ? random_between(60, 300) : random_some(70);
  if (random_below(16) == 0) { /* few rows of more than a block's inner count: they would outgrow the scratch if widened whole */
    r->row_count = random_between(5, 6);
    r->inner_count = random_between(1600, 1700);
    r->column_count = random_between(190, 200);
  }
  r->flags = (int32_t)random_below(4);
  random_activation(&r->activation, &r->activation_alpha, &r->activation_beta);
  r->output_gap = random_below(3) == 0 ? random_some(40) : 0;
  const uint64_t outputs = (uint64_t)r->row_count * (uint64_t)(r->column_count + r->output_gap);
  r->input = random_take(m, (uint64_t)r->row_count * (uint64_t)r->inner_count, 4);
  const uint64_t weights = (uint64_t)(r->column_count + 15) / 16 * 16 * (uint64_t)r->inner_count;
  take_weights(m, weights, r->column_count, &r->weights_type, &r->weights, &r->weight_scales);
  r->bias = random_take(m, (uint64_t)r->column_count, 4);
  r->residual = random_take(m, outputs, 4);
  r->output = random_take(m, outputs, 4);
  return r->input != UINT32_MAX && r->weights != UINT32_MAX && r->bias != UINT32_MAX &&
         r->residual != UINT32_MAX && r->output != UINT32_MAX;
}

static int random_matmul(random_room *m, mlc_matmul_record *r) {
  r->batch_count = random_some(4);
  r->row_count = random_some(30);
  r->inner_count = random_below(4) == 0 ? random_between(250, 600) : random_some(40);
  r->column_count = random_below(4) == 0 ? random_between(180, 260) : random_some(40);
  const uint64_t a = (uint64_t)r->row_count * (uint64_t)r->inner_count;
  const uint64_t b = (uint64_t)r->inner_count * (uint64_t)r->column_count;
  r->a_batch_stride = random_below(2) == 0 ? 0 : (int32_t)a;
  r->b_batch_stride = random_below(2) == 0 ? 0 : (int32_t)b;
  r->a = random_take(m, a * (uint64_t)r->batch_count, 4);
  r->b = random_take(m, b * (uint64_t)r->batch_count, 4);
  r->output = random_take(m, (uint64_t)r->batch_count * (uint64_t)r->row_count * (uint64_t)r->column_count, 4);
  return r->a != UINT32_MAX && r->b != UINT32_MAX && r->output != UINT32_MAX;
}

static int random_binary(random_room *m, mlc_binary_record *r) {
  int32_t dense = 1;
  uint64_t a_count = 1, b_count = 1;
  for (int d = 5; d >= 0; d--) {
    r->dims[d] = random_below(3) == 0 ? 1 : random_between(1, 7);
    if (d == 5 && random_below(4) == 0) r->dims[d] = random_between(1, 60);
    r->a_strides[d] = random_below(3) == 0 ? 0 : (int32_t)a_count;
    r->b_strides[d] = random_below(3) == 0 ? 0 : (int32_t)b_count;
    if (r->a_strides[d] != 0) a_count *= (uint64_t)r->dims[d];
    if (r->b_strides[d] != 0) b_count *= (uint64_t)r->dims[d];
    dense *= r->dims[d];
  }
  r->binary = (int32_t)random_below(MLC_BINARY_COUNT);
  random_activation(&r->activation, &r->activation_alpha, &r->activation_beta);
  r->a = random_take(m, a_count, 4);
  r->b = random_take(m, b_count, 4);
  r->output = random_below(4) == 0 && a_count == (uint64_t)dense ? r->a : random_take(m, (uint64_t)dense, 4);
  return r->a != UINT32_MAX && r->b != UINT32_MAX && r->output != UINT32_MAX;
}

static int random_elements(random_room *m, int32_t *record) {
  if (record[0] == MLC_OP_UNARY) {
    mlc_unary_record *r = (void *)record;
    r->count = random_between(0, 300);
    r->unary = (int32_t)random_below(MLC_UNARY_COUNT);
    r->alpha = -0.25f;
    r->beta = 0.5f;
    r->input = random_take(m, (uint64_t)r->count, 4);
    r->output = random_below(2) == 0 ? r->input : random_take(m, (uint64_t)r->count, 4);
    return 1;
  }
  mlc_softmax_record *r = (void *)record;
  r->outer_count = random_some(5);
  r->axis_count = random_some(70);
  r->inner_count = random_below(2) == 0 ? 1 : random_some(150);
  r->softmax = (int32_t)random_below(MLC_SOFTMAX_COUNT);
  const uint64_t count = (uint64_t)r->outer_count * (uint64_t)r->axis_count * (uint64_t)r->inner_count;
  r->input = random_take(m, count, 4);
  r->output = random_below(2) == 0 ? r->input : random_take(m, count, 4);
  return r->input != UINT32_MAX && r->output != UINT32_MAX;
}

/* Planes into pixels: enough of them to be shared out, now and then with a gap between pixels. */
static int random_turn(random_room *m, mlc_copy_record *r) {
  const int32_t pixels = random_between(1, 12000), channels = random_between(1, 4), gap = random_below(3) == 0 ? 1 : 0;
  r->element_size_bytes = random_below(3) == 0 ? 2 : 4;
  for (int d = 0; d < 6; d++) r->dims[d] = 1;
  r->dims[6] = pixels;
  r->dims[7] = channels;
  r->input_strides[6] = 1;
  r->input_strides[7] = pixels;
  r->output_strides[6] = channels + gap;
  r->output_strides[7] = 1;
  r->input = random_take(m, (uint64_t)pixels * (uint32_t)channels, 4);
  r->output = random_take(m, (uint64_t)pixels * (uint32_t)(channels + gap), 4);
  return r->input != UINT32_MAX && r->output != UINT32_MAX;
}

static int random_copy(random_room *m, int32_t *record) {
  if (record[0] == MLC_OP_FILL) {
    mlc_fill_record *r = (void *)record;
    r->element_size_bytes = 1 << random_below(4);
    r->count = random_between(0, 200);
    r->bits = (int32_t)random_u32();
    r->output = random_take(m, (uint64_t)r->count * 2, 8);
    return 1;
  }
  mlc_copy_record *r = (void *)record;
  if (random_below(4) == 0) return random_turn(m, r);
  int32_t order[8], input_stride = 1, output_stride = 1;
  r->element_size_bytes = 1 << random_below(4);
  for (int d = 0; d < 8; d++) {
    r->dims[d] = random_below(2) == 0 ? 1 : random_between(1, 4);
    order[d] = d;
  }
  for (uint32_t d = 7; d > 0; d--) {
    const uint32_t other = random_below(d + 1);
    const int32_t kept = order[d];
    order[d] = order[other];
    order[other] = kept;
  }
  int64_t reversed = 0;
  for (int d = 7; d >= 0; d--) {
    const int32_t at = order[d];
    r->output_strides[d] = output_stride;
    output_stride *= r->dims[d];
    const uint32_t choice = random_below(6);
    r->input_strides[at] = choice == 0 ? 0 : choice == 1 ? -input_stride : input_stride;
    if (choice == 1) reversed += (int64_t)input_stride * (r->dims[at] - 1);
    if (choice != 0) input_stride *= r->dims[at];
  }
  const uint32_t size = (uint32_t)r->element_size_bytes;
  const uint32_t input = random_take(m, (uint64_t)input_stride * 2, 8);
  r->output = random_take(m, (uint64_t)output_stride * 2, 8);
  r->input = input + (uint32_t)reversed * size;
  return input != UINT32_MAX && r->output != UINT32_MAX;
}

void random_record(int32_t opcode, uint32_t size_bytes, int32_t record[MLC_RECORD_WORD_COUNT]) {
  int valid = 0;
  while (!valid) {
    random_room m = {0, size_bytes};
    memset(record, 0, MLC_RECORD_WORD_COUNT * sizeof(int32_t));
    record[0] = opcode;
    switch (opcode) {
      case MLC_OP_CONV2D: valid = random_conv(&m, (void *)record); break;
      case MLC_OP_DEPTHWISE_CONV2D: valid = random_depthwise(&m, (void *)record); break;
      case MLC_OP_POOL2D: valid = random_pool(&m, (void *)record); break;
      case MLC_OP_DENSE: valid = random_dense(&m, (void *)record); break;
      case MLC_OP_MATMUL: valid = random_matmul(&m, (void *)record); break;
      case MLC_OP_BINARY: valid = random_binary(&m, (void *)record); break;
      case MLC_OP_COPY:
      case MLC_OP_FILL: valid = random_copy(&m, record); break;
      case MLC_OP_QUANTIZED_CONV2D: valid = random_quantized_conv(&m, (void *)record); break;
      case MLC_OP_QUANTIZED_MAX_POOL2D: valid = random_quantized_pool(&m, (void *)record); break;
      case MLC_OP_QUANTIZE:
      case MLC_OP_DEQUANTIZE:
      case MLC_OP_QUANTIZED_ADD: valid = random_conversion(&m, record); break;
      default: valid = random_elements(&m, record); break;
    }
  }
}
