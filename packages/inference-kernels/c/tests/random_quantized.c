/* SPDX-License-Identifier: Apache-2.0 */
/* Valid records of steps over bytes, of random shape. */
#include "random_quantized.h"

static int32_t byte(void) { return (int32_t)random_below(256); }

static void random_range(int32_t *zero, int32_t *low, int32_t *high, float *scale) {
  *zero = byte();
  *low = random_below(2) == 0 ? 0 : (int32_t)random_below(100);
  *high = random_below(2) == 0 ? 255 : *low + (int32_t)random_below((uint32_t)(256 - *low));
  *scale = random_below(3) == 0 ? 0.5f : 1.1f + random_float();
}

int random_quantized_conv(random_room *m, mlc_quantized_conv2d_record *r) {
  int32_t after;
  RANDOM_WINDOWS(r, 12, 12, &after, &after);
  RANDOM_GROUPS(r, 70);
  if (random_below(4) == 0) { /* windows in the image itself */
    r->pad_top = r->pad_left = 0;
    r->input_channels = 4 * random_between(1, 8) * r->groups;
    r->output_height = (r->input_height - (r->kernel_height - 1) * r->dilation_height - 1) / r->stride_height + 1;
    r->output_width = (r->input_width - (r->kernel_width - 1) * r->dilation_width - 1) / r->stride_width + 1;
  }
  if (random_below(6) == 0) { /* windows that no copy has room for */
    r->dilation_height = 1 << 22;
    r->pad_top = random_below(2) == 0 ? 0 : 1 << 22;
    r->output_height = random_between(1, (uint32_t)r->input_height);
  }
  r->flags = random_below(2) == 0 ? MLC_FLAG_HAS_RESIDUAL : 0;
  r->input_zero = byte();
  random_range(&r->zero, &r->low, &r->high, &r->scale);
  r->residual_zero = byte();
  r->residual_scale = random_float();
  random_range(&r->sum_zero, &r->sum_low, &r->sum_high, &r->sum_scale);
  if (r->output_height < 1 || r->output_width < 1) return 0;
  const uint64_t panels = (uint64_t)(r->output_channels / r->groups + 15) / 16 * (uint64_t)r->groups;
  const uint64_t fours = (uint64_t)(r->input_channels / r->groups + 3) / 4;
  const uint64_t outputs = (uint64_t)(r->batch * r->output_height * r->output_width * r->output_channels);
  r->input = random_bytes(m, (uint64_t)(r->batch * r->input_height * r->input_width * r->input_channels));
  r->weights = random_take(m, panels * (32 + fours * (uint64_t)(r->kernel_height * r->kernel_width) * 16), 64);
  r->residual = random_bytes(m, outputs);
  r->output = random_below(4) == 0 && r->flags ? r->residual : random_bytes(m, outputs);
  return r->input != UINT32_MAX && r->weights != UINT32_MAX && r->residual != UINT32_MAX && r->output != UINT32_MAX;
}

int random_quantized_pool(random_room *m, mlc_quantized_max_pool2d_record *r) {
  int32_t after;
  RANDOM_WINDOWS(r, 14, 14, &after, &after);
  r->channels = random_some(70);
  const uint64_t outputs = (uint64_t)(r->batch * r->output_height * r->output_width * r->channels);
  r->input = random_bytes(m, (uint64_t)(r->batch * r->input_height * r->input_width * r->channels));
  r->output = random_bytes(m, outputs);
  return outputs > 0 && r->output != UINT32_MAX && r->input != UINT32_MAX;
}

int random_conversion(random_room *m, int32_t *record) {
  float scale;
  if (record[0] == MLC_OP_QUANTIZE) {
    mlc_quantize_record *r = (void *)record;
    r->count = random_between(0, 300);
    random_range(&r->zero, &r->low, &r->high, &scale);
    r->scale = scale / 256.0f;
    r->input = random_take(m, (uint64_t)r->count, 4);
    r->output = random_bytes(m, (uint64_t)r->count);
  } else if (record[0] == MLC_OP_DEQUANTIZE) {
    mlc_dequantize_record *r = (void *)record;
    r->count = random_between(0, 300);
    r->zero = byte();
    r->scale = random_float();
    r->input = random_bytes(m, (uint64_t)r->count);
    r->output = random_take(m, (uint64_t)r->count, 4);
  } else {
    mlc_quantized_add_record *r = (void *)record;
    r->count = random_between(0, 300);
    r->a_zero = byte();
    r->a_scale = random_float();
    r->b_zero = byte();
    r->b_scale = random_float();
    random_range(&r->zero, &r->low, &r->high, &r->scale);
    r->a = random_bytes(m, (uint64_t)r->count);
    r->b = random_bytes(m, (uint64_t)r->count);
    r->output = random_below(3) == 0 ? r->a : random_bytes(m, (uint64_t)r->count);
  }
  return 1;
}
