/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <math.h>

#include "../src/f32_winograd/winograd_conv.h"

static const float *floats(const uint8_t *memory, uint32_t address) { return (const float *)(const void *)(memory + address); }

float reference_half(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double magnitude = exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                           : exponent == 0 ? ldexp(fraction, -24)
                                           : ldexp(1024 + fraction, exponent - 25);
  return (float)(bits >> 15 ? -magnitude : magnitude);
}

float reference_weight(const uint8_t *memory, int32_t type, uint32_t weights, int32_t index, uint32_t scales,
                       int32_t column) {
  if (type == MLC_WEIGHTS_TYPE_F32) return floats(memory, weights)[index];
  if (type == MLC_WEIGHTS_TYPE_I8) return (float)(int8_t)memory[weights + (uint32_t)index] * floats(memory, scales)[column];
  uint16_t bits;
  memcpy(&bits, memory + weights + 2 * (uint32_t)index, sizeof bits);
  return reference_half(bits);
}

uint32_t weight_count_of(const int32_t record[MLC_RECORD_WORD_COUNT]) {
  if (record[0] == MLC_OP_DENSE) {
    const mlc_dense_record *r = (const void *)record;
    return (uint32_t)((r->column_count + 15) / 16 * 16 * r->inner_count);
  }
  if (record[0] != MLC_OP_CONV2D) return 0;
  const mlc_conv2d_record *r = (const void *)record;
  const int32_t columns = (r->output_channels / r->groups + 15) / 16 * 16 * r->groups;
  return (uint32_t)(columns * r->kernel_height * r->kernel_width * (r->input_channels / r->groups));
}

static int32_t weights_type_of(const int32_t record[MLC_RECORD_WORD_COUNT]) {
  return record[0] == MLC_OP_DENSE ? ((const mlc_dense_record *)(const void *)record)->weights_type
                                   : ((const mlc_conv2d_record *)(const void *)record)->weights_type;
}

void settle_weights(uint8_t *memory, const int32_t record[MLC_RECORD_WORD_COUNT]) {
  const uint32_t count = weight_count_of(record);
  if (count == 0 || weights_type_of(record) != MLC_WEIGHTS_TYPE_F16) return;
  const uint32_t weights = record[0] == MLC_OP_DENSE ? ((const mlc_dense_record *)(const void *)record)->weights
                                                     : ((const mlc_conv2d_record *)(const void *)record)->weights;
  for (uint32_t i = 0; i < count; i++) {
    /* Below 2 in magnitude, of all exponents but those of infinities and large numbers. */
    const uint16_t bits = (uint16_t)((random_u32() >> 16 & 0x83ff) | random_below(16) << 10);
    memcpy(memory + weights + 2 * i, &bits, sizeof bits);
  }
}

static double activation(int32_t kind, double alpha, double beta, double x) {
  switch (kind) {
    case MLC_ACTIVATION_CLAMP: return fmin(fmax(x, alpha), beta);
    case MLC_ACTIVATION_SIGMOID: return 1.0 / (1.0 + exp(-x));
    case MLC_ACTIVATION_TANH: return tanh(x);
    case MLC_ACTIVATION_HARDSWISH: return x * fmin(fmax(x / 6.0 + 0.5, 0.0), 1.0);
    case MLC_ACTIVATION_LEAKYRELU: return x < 0 ? alpha * x : x;
    case MLC_ACTIVATION_SILU: return x / (1.0 + exp(-x));
    case MLC_ACTIVATION_GELU: return 0.5 * x * (1.0 + erf(x * sqrt(0.5)));
    default: return x;
  }
}

static double unary(int32_t kind, double alpha, double beta, double x) {
  switch (kind) {
    case MLC_UNARY_RELU: return fmax(x, 0.0);
    case MLC_UNARY_CLAMP: return fmin(fmax(x, alpha), beta);
    case MLC_UNARY_LEAKYRELU: return x < 0 ? alpha * x : x;
    case MLC_UNARY_SIGMOID: return 1.0 / (1.0 + exp(-x));
    case MLC_UNARY_TANH: return tanh(x);
    case MLC_UNARY_EXP: return exp(x);
    case MLC_UNARY_LOG: return log(x);
    case MLC_UNARY_SQRT: return sqrt(x);
    case MLC_UNARY_NEG: return -x;
    case MLC_UNARY_ABS: return fabs(x);
    case MLC_UNARY_ERF: return erf(x);
    case MLC_UNARY_RECIPROCAL: return 1.0 / x;
    case MLC_UNARY_HARDSIGMOID: return fmax(0.0, fmin(1.0, alpha * x + beta));
    case MLC_UNARY_HARDSWISH: return x * fmin(fmax(x / 6.0 + 0.5, 0.0), 1.0);
    case MLC_UNARY_ELU: return x < 0 ? alpha * expm1(x) : x;
    case MLC_UNARY_SOFTPLUS: return log1p(exp(x));
    case MLC_UNARY_FLOOR: return floor(x);
    case MLC_UNARY_CEIL: return ceil(x);
    default: return x;
  }
}

static double binary(int32_t kind, double x, double y) {
  switch (kind) {
    case MLC_BINARY_ADD: return x + y;
    case MLC_BINARY_SUB: return x - y;
    case MLC_BINARY_MUL: return x * y;
    case MLC_BINARY_DIV: return x / y;
    case MLC_BINARY_MIN: return fmin(x, y);
    case MLC_BINARY_MAX: return fmax(x, y);
    case MLC_BINARY_POW: return pow(x, y);
    default: return x < 0 ? x * y : x;
  }
}

typedef struct {
  double sum, magnitude;
  uint32_t terms;
} total;

static void add(total *t, double product) {
  t->sum += product;
  t->magnitude += fabs(product);
  t->terms++;
}

/* Activations here have slopes of at most 1.2 and errors of a few ulp. */
static void put(reference_answer *answer, uint32_t i, total t, int32_t kind, float alpha, float beta) {
  const double value = activation(kind, alpha, beta, t.sum);
  answer->expected[i] = value;
  answer->tolerance[i] = 1.2 * (t.terms + 3) * 0x1p-24 * t.magnitude + 1e-6 * fabs(value) + 3e-7;
}

/* Whether some kernel set runs it by f32_winograd. */
static int is_transformed(const mlc_conv2d_record *r) {
  for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) {
    if (f32_winograd_pays(*sets, r)) return 1;
  }
  return 0;
}

/* An element that lies between what the record writes. */
static void keep(const uint8_t *m, reference_answer *answer, uint32_t i) {
  answer->expected[i] = floats(m, answer->output)[i];
  answer->tolerance[i] = 0;
}

/* What f32_winograd's roundings are in proportion to: any input may take part in any output of its tile. */
static double transformed_magnitude(const uint8_t *m, const mlc_conv2d_record *r, int32_t column) {
  const int32_t inner = 9 * r->input_channels;
  double largest = 0, sum = 0;
  for (int32_t i = 0; i < r->batch * r->input_height * r->input_width * r->input_channels; i++) {
    largest = fmax(largest, fabs(floats(m, r->input)[i]));
  }
  for (int32_t k = 0; k < inner; k++) {
    const int32_t weight = (column / 16 * inner + k) * 16 + column % 16;
    sum += fabs(reference_weight(m, r->weights_type, r->weights, weight, r->weight_scales, column));
  }
  return largest * sum;
}

static void run_conv(const uint8_t *m, const mlc_conv2d_record *r, reference_answer *answer) {
  const int32_t ic = r->input_channels / r->groups, oc = r->output_channels / r->groups;
  const int32_t inner = r->kernel_height * r->kernel_width * ic, padded = (oc + 15) / 16 * 16;
  answer->output = r->output;
  const int32_t stride = r->output_channels + r->output_gap;
  answer->count = (uint32_t)(r->batch * r->output_height * r->output_width * stride - r->output_gap);
  for (uint32_t i = 0; i < answer->count; i++) {
    const int32_t n = (int32_t)i % stride, pixel = (int32_t)i / stride;
    if (n >= r->output_channels) {
      keep(m, answer, i);
      continue;
    }
    const int32_t x = pixel % r->output_width, y = pixel / r->output_width % r->output_height;
    const int32_t batch = pixel / r->output_width / r->output_height, group = n / oc, column = n % oc;
    total t = {0};
    for (int32_t k = 0; k < inner; k++) {
      const int32_t iy = y * r->stride_height - r->pad_top + k / ic / r->kernel_width * r->dilation_height;
      const int32_t ix = x * r->stride_width - r->pad_left + k / ic % r->kernel_width * r->dilation_width;
      if (iy < 0 || ix < 0 || iy >= r->input_height || ix >= r->input_width) continue;
      const int32_t from =
          ((batch * r->input_height + iy) * r->input_width + ix) * r->input_channels + group * ic + k % ic;
      const int32_t weight = group * padded * inner + (column / 16 * inner + k) * 16 + column % 16;
      add(&t, (double)floats(m, r->input)[from] *
                  reference_weight(m, r->weights_type, r->weights, weight, r->weight_scales, n));
    }
    if (r->flags & MLC_FLAG_HAS_BIAS) add(&t, floats(m, r->bias)[n]);
    if (r->flags & MLC_FLAG_HAS_RESIDUAL) add(&t, floats(m, r->residual)[i]);
    if (is_transformed(r)) {
      t.magnitude += transformed_magnitude(m, r, n);
      t.terms = (uint32_t)inner;
    }
    put(answer, i, t, r->activation, r->activation_alpha, r->activation_beta);
  }
}

static void run_depthwise(const uint8_t *m, const mlc_depthwise_conv2d_record *r, reference_answer *answer) {
  const int32_t taps = r->kernel_height * r->kernel_width;
  answer->output = r->output;
  answer->count = (uint32_t)(r->batch * r->output_height * r->output_width * r->channels);
  for (uint32_t i = 0; i < answer->count; i++) {
    const int32_t c = (int32_t)i % r->channels, pixel = (int32_t)i / r->channels;
    const int32_t x = pixel % r->output_width, y = pixel / r->output_width % r->output_height;
    const int32_t batch = pixel / r->output_width / r->output_height;
    total t = {0};
    for (int32_t k = 0; k < taps; k++) {
      const int32_t iy = y * r->stride_height - r->pad_top + k / r->kernel_width * r->dilation_height;
      const int32_t ix = x * r->stride_width - r->pad_left + k % r->kernel_width * r->dilation_width;
      if (iy < 0 || ix < 0 || iy >= r->input_height || ix >= r->input_width) continue;
      const int32_t from = ((batch * r->input_height + iy) * r->input_width + ix) * r->channels + c;
      add(&t, (double)floats(m, r->input)[from] * floats(m, r->weights)[(c / 16 * taps + k) * 16 + c % 16]);
    }
    if (r->flags & MLC_FLAG_HAS_BIAS) add(&t, floats(m, r->bias)[c]);
    put(answer, i, t, r->activation, r->activation_alpha, r->activation_beta);
  }
}

static void run_pool(const uint8_t *m, const mlc_pool2d_record *r, reference_answer *answer) {
  answer->output = r->output;
  answer->count = (uint32_t)(r->batch * r->output_height * r->output_width * r->channels);
  for (uint32_t i = 0; i < answer->count; i++) {
    const int32_t c = (int32_t)i % r->channels, pixel = (int32_t)i / r->channels;
    const int32_t x = pixel % r->output_width, y = pixel / r->output_width % r->output_height;
    const int32_t batch = pixel / r->output_width / r->output_height;
    total t = {0};
    double best = -INFINITY;
    uint32_t padded = 0;
    for (int32_t k = 0; k < r->kernel_height * r->kernel_width; k++) {
      const int32_t iy = y * r->stride_height - r->pad_top + k / r->kernel_width * r->dilation_height;
      const int32_t ix = x * r->stride_width - r->pad_left + k % r->kernel_width * r->dilation_width;
      if (iy < r->input_height + r->pad_bottom && ix < r->input_width + r->pad_right) padded++;
      if (iy < 0 || ix < 0 || iy >= r->input_height || ix >= r->input_width) continue;
      const double value =
          floats(m, r->input)[((batch * r->input_height + iy) * r->input_width + ix) * r->channels + c];
      add(&t, value);
      best = fmax(best, value);
    }
    const uint32_t divisor = r->count_include_pad ? padded : t.terms;
    answer->expected[i] = r->pool == MLC_POOL_MAX ? best : divisor == 0 ? 0.0 : t.sum / divisor;
    answer->tolerance[i] = r->pool == MLC_POOL_MAX ? 0.0 : (t.terms + 3) * 0x1p-24 * t.magnitude;
  }
}

static void run_dense(const uint8_t *m, const mlc_dense_record *r, reference_answer *answer) {
  answer->output = r->output;
  const int32_t stride = r->column_count + r->output_gap;
  answer->count = (uint32_t)(r->row_count * stride - r->output_gap);
  for (uint32_t i = 0; i < answer->count; i++) {
    const int32_t n = (int32_t)i % stride, row = (int32_t)i / stride;
    if (n >= r->column_count) {
      keep(m, answer, i);
      continue;
    }
    total t = {0};
    for (int32_t k = 0; k < r->inner_count; k++) {
      add(&t, (double)floats(m, r->input)[row * r->inner_count + k] *
                  reference_weight(m, r->weights_type, r->weights, (n / 16 * r->inner_count + k) * 16 + n % 16,
                                   r->weight_scales, n));
    }
    if (r->flags & MLC_FLAG_HAS_BIAS) add(&t, floats(m, r->bias)[n]);
    if (r->flags & MLC_FLAG_HAS_RESIDUAL) add(&t, floats(m, r->residual)[i]);
    put(answer, i, t, r->activation, r->activation_alpha, r->activation_beta);
  }
}

static void run_matmul(const uint8_t *m, const mlc_matmul_record *r, reference_answer *answer) {
  answer->output = r->output;
  answer->count = (uint32_t)(r->batch_count * r->row_count * r->column_count);
  for (uint32_t i = 0; i < answer->count; i++) {
    const int32_t n = (int32_t)i % r->column_count, row = (int32_t)i / r->column_count % r->row_count;
    const int32_t batch = (int32_t)i / r->column_count / r->row_count;
    total t = {0};
    for (int32_t k = 0; k < r->inner_count; k++) {
      add(&t, (double)floats(m, r->a)[batch * r->a_batch_stride + row * r->inner_count + k] *
                  floats(m, r->b)[batch * r->b_batch_stride + k * r->column_count + n]);
    }
    put(answer, i, t, MLC_ACTIVATION_NONE, 0, 0);
  }
}

static void run_binary(const uint8_t *m, const mlc_binary_record *r, reference_answer *answer) {
  answer->output = r->output;
  answer->count = 1;
  for (int d = 0; d < 6; d++) answer->count *= (uint32_t)r->dims[d];
  for (uint32_t i = 0; i < answer->count; i++) {
    int32_t a = 0, b = 0;
    uint32_t rest = i;
    for (int d = 5; d >= 0; d--) {
      const int32_t at = (int32_t)(rest % (uint32_t)r->dims[d]);
      rest /= (uint32_t)r->dims[d];
      a += at * r->a_strides[d];
      b += at * r->b_strides[d];
    }
    const double value = binary(r->binary, floats(m, r->a)[a], floats(m, r->b)[b]);
    const total t = {value, fabs(value), 0};
    put(answer, i, t, r->activation, r->activation_alpha, r->activation_beta);
  }
}

static void run_softmax(const uint8_t *m, const mlc_softmax_record *r, reference_answer *answer) {
  answer->output = r->output;
  answer->count = (uint32_t)(r->outer_count * r->axis_count * r->inner_count);
  for (uint32_t i = 0; i < answer->count; i++) {
    const uint32_t inner = (uint32_t)r->inner_count, slice = (uint32_t)r->axis_count * inner;
    const float *column = floats(m, r->input) + i / slice * slice + i % inner;
    double highest = -INFINITY, sum = 0.0;
    for (uint32_t k = 0; k < (uint32_t)r->axis_count; k++) highest = fmax(highest, column[k * inner]);
    for (uint32_t k = 0; k < (uint32_t)r->axis_count; k++) sum += exp(column[k * inner] - highest);
    const double shifted = floats(m, r->input)[i] - highest;
    const int logs = r->softmax == MLC_SOFTMAX_LOGSOFTMAX;
    answer->expected[i] = logs ? shifted - log(sum) : exp(shifted) / sum;
    answer->tolerance[i] = (fabs(answer->expected[i]) + logs) * (r->axis_count + 8) * 0x1p-24;
  }
}

void reference_run(const uint8_t *memory, const int32_t record[MLC_RECORD_WORD_COUNT], reference_answer *answer) {
  const void *body = record;
  answer->is_bytes = 0;
  if (record[0] >= MLC_OP_QUANTIZED_CONV2D) {
    reference_run_quantized(memory, record, answer);
    return;
  }
  switch (record[0]) {
    case MLC_OP_CONV2D: run_conv(memory, body, answer); break;
    case MLC_OP_DEPTHWISE_CONV2D: run_depthwise(memory, body, answer); break;
    case MLC_OP_POOL2D: run_pool(memory, body, answer); break;
    case MLC_OP_DENSE: run_dense(memory, body, answer); break;
    case MLC_OP_MATMUL: run_matmul(memory, body, answer); break;
    case MLC_OP_BINARY: run_binary(memory, body, answer); break;
    case MLC_OP_SOFTMAX: run_softmax(memory, body, answer); break;
    default: {
      const mlc_unary_record *r = body;
      answer->output = r->output;
      answer->count = (uint32_t)r->count;
      for (uint32_t i = 0; i < answer->count; i++) {
        answer->expected[i] = unary(r->unary, r->alpha, r->beta, floats(memory, r->input)[i]);
        answer->tolerance[i] = 4e-7 * fabs(answer->expected[i]) + 1e-7;
      }
    }
  }
}
