/* SPDX-License-Identifier: Apache-2.0 */
/* Steps over bytes in plain loops: each float operation by itself, as abi/ops.json says, so that the bytes must be equal. */
#include <math.h>

#include "reference.h"

static float bounded(float x, int32_t low, int32_t high) {
  const float raised = x > (float)low ? x : (float)low;
  return nearbyintf(raised < (float)high ? raised : (float)high);
}

static float dequantized(uint8_t q, int32_t zero, float scale) { return (float)(q - zero) * scale; }

static double summed(float a, float b, float scale, int32_t zero, int32_t low, int32_t high) {
  volatile float sum = a + b;
  return zero + bounded(sum / scale, low - zero, high - zero);
}

static void run_conv(const uint8_t *m, const mlc_quantized_conv2d_record *r, reference_answer *answer) {
  const int32_t ic = r->input_channels / r->groups, oc = r->output_channels / r->groups, fours = (ic + 3) / 4;
  const int32_t inner = r->kernel_height * r->kernel_width * ic;
  const size_t panel_bytes = 128 + (size_t)(r->kernel_height * r->kernel_width * fours) * 64;
  answer->output = r->output;
  answer->count = (uint32_t)(r->batch * r->output_height * r->output_width * r->output_channels);
  for (uint32_t i = 0; i < answer->count; i++) {
    const int32_t n = (int32_t)i % r->output_channels, pixel = (int32_t)i / r->output_channels;
    const int32_t x = pixel % r->output_width, y = pixel / r->output_width % r->output_height;
    const int32_t batch = pixel / r->output_width / r->output_height, group = n / oc, column = n % oc;
    const uint8_t *panel = m + r->weights + (size_t)(group * ((oc + 15) / 16) + column / 16) * panel_bytes;
    uint32_t sum;
    float multiplier;
    memcpy(&sum, panel + 4 * (column % 16), 4);
    memcpy(&multiplier, panel + 64 + 4 * (column % 16), 4);
    for (int32_t k = 0; k < inner; k++) {
      const int32_t tap = k / ic, c = k % ic;
      const int32_t iy = y * r->stride_height - r->pad_top + tap / r->kernel_width * r->dilation_height;
      const int32_t ix = x * r->stride_width - r->pad_left + tap % r->kernel_width * r->dilation_width;
      const int inside = iy >= 0 && ix >= 0 && iy < r->input_height && ix < r->input_width;
      const int32_t pixel_in = (batch * r->input_height + iy) * r->input_width + ix;
      const int32_t value = inside ? m[r->input + (uint32_t)(pixel_in * r->input_channels + group * ic + c)] : r->input_zero;
      const int8_t weight = (int8_t)panel[128 + (size_t)(tap * fours + c / 4) * 64 + (size_t)(column % 16 * 4 + c % 4)];
      sum += (uint32_t)(value * weight);
    }
    volatile float product = (float)(int32_t)sum * multiplier;
    const float q = bounded(product, r->low - r->zero, r->high - r->zero);
    if ((r->flags & MLC_FLAG_HAS_RESIDUAL) == 0) {
      answer->expected[i] = q + (float)r->zero;
    } else {
      volatile float own = q * r->scale, other = dequantized(m[r->residual + i], r->residual_zero, r->residual_scale);
      answer->expected[i] = summed(own, other, r->sum_scale, r->sum_zero, r->sum_low, r->sum_high);
    }
  }
}

static void run_pool(const uint8_t *m, const mlc_quantized_max_pool2d_record *r, reference_answer *answer) {
  answer->output = r->output;
  answer->count = (uint32_t)(r->batch * r->output_height * r->output_width * r->channels);
  for (uint32_t i = 0; i < answer->count; i++) {
    const int32_t c = (int32_t)i % r->channels, pixel = (int32_t)i / r->channels;
    const int32_t x = pixel % r->output_width, y = pixel / r->output_width % r->output_height;
    const int32_t batch = pixel / r->output_width / r->output_height;
    uint8_t best = 0;
    for (int32_t k = 0; k < r->kernel_height * r->kernel_width; k++) {
      const int32_t iy = y * r->stride_height - r->pad_top + k / r->kernel_width * r->dilation_height;
      const int32_t ix = x * r->stride_width - r->pad_left + k % r->kernel_width * r->dilation_width;
      if (iy < 0 || ix < 0 || iy >= r->input_height || ix >= r->input_width) continue;
      const int32_t from = ((batch * r->input_height + iy) * r->input_width + ix) * r->channels + c;
      if (m[r->input + (uint32_t)from] > best) best = m[r->input + (uint32_t)from];
    }
    answer->expected[i] = best;
  }
}

void reference_run_quantized(const uint8_t *m, const int32_t record[MLC_RECORD_WORD_COUNT], reference_answer *answer) {
  const void *body = record;
  answer->is_bytes = record[0] != MLC_OP_DEQUANTIZE;
  if (record[0] == MLC_OP_QUANTIZED_CONV2D) {
    run_conv(m, body, answer);
  } else if (record[0] == MLC_OP_QUANTIZED_MAX_POOL2D) {
    run_pool(m, body, answer);
  } else if (record[0] == MLC_OP_QUANTIZE) {
    const mlc_quantize_record *r = body;
    answer->output = r->output;
    answer->count = (uint32_t)r->count;
    for (uint32_t i = 0; i < answer->count; i++) {
      float x;
      memcpy(&x, m + r->input + 4 * i, 4);
      answer->expected[i] = r->zero + bounded(x / r->scale, r->low - r->zero, r->high - r->zero);
    }
  } else if (record[0] == MLC_OP_DEQUANTIZE) {
    const mlc_dequantize_record *r = body;
    answer->output = r->output;
    answer->count = (uint32_t)r->count;
    for (uint32_t i = 0; i < answer->count; i++) {
      answer->expected[i] = dequantized(m[r->input + i], r->zero, r->scale);
      answer->tolerance[i] = 0.0;
    }
  } else {
    const mlc_quantized_add_record *r = body;
    answer->output = r->output;
    answer->count = (uint32_t)r->count;
    for (uint32_t i = 0; i < answer->count; i++) {
      volatile float a = dequantized(m[r->a + i], r->a_zero, r->a_scale);
      volatile float b = dequantized(m[r->b + i], r->b_zero, r->b_scale);
      answer->expected[i] = summed(a, b, r->scale, r->zero, r->low, r->high);
    }
  }
}
