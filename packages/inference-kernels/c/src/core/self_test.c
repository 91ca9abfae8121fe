/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small problems in memory of their own. Products take small integers, so their answers are exact in any order of
 * summation, and plain loops below compute them; functions are held against constants.
 */
#include "check.h"
#include "context.h"

#define ROWS 7 /* one tile and a part, a panel and a part */
#define INNER 19
#define COLUMNS 37
#define PANELS 3
#define SIDE 9
#define CHANNELS 21

typedef struct {
  _Alignas(64) float a[1024], b[8192], bias[64], residual[512], output[2048];
  _Alignas(64) uint16_t halves[1024];
  _Alignas(64) int8_t bytes[1024];
} test_memory;

#define AT(field) ((uint32_t)offsetof(test_memory, field))

static float small(uint32_t i) { return (float)((int32_t)(i * 7 % 11) - 5); }

static void fill(test_memory *m) {
  for (uint32_t i = 0; i < 1024; i++) m->a[i] = small(i);
  for (uint32_t i = 0; i < 8192; i++) m->b[i] = small(i * 3 + 1);
  for (uint32_t i = 0; i < 64; i++) m->bias[i] = small(i + 2);
  for (uint32_t i = 0; i < 512; i++) m->residual[i] = small(i * 5);
  for (uint32_t i = 0; i < 2048; i++) m->output[i] = 0.0f;
}

static int run(mlc_context *context, const void *record) {
  if (mlc_check_record(record, context->memory_size_bytes) != MLC_RECORD_OK) return 0;
  mlc_run_record(context, record);
  return 1;
}

static int test_dense(mlc_context *context, test_memory *m) {
  const mlc_dense_record record = {
      .opcode = MLC_OP_DENSE, .input = AT(a), .weights = AT(b), .bias = AT(bias), .residual = AT(residual),
      .output = AT(output), .row_count = ROWS, .inner_count = INNER, .column_count = COLUMNS,
      .flags = MLC_FLAG_HAS_BIAS | MLC_FLAG_HAS_RESIDUAL, .activation = MLC_ACTIVATION_CLAMP,
      .activation_alpha = -40.0f, .activation_beta = 50.0f};
  fill(m);
  if (!run(context, &record)) return 0;
  for (uint32_t row = 0; row < ROWS; row++) {
    for (uint32_t n = 0; n < COLUMNS; n++) {
      float sum = m->bias[n] + m->residual[row * COLUMNS + n];
      for (uint32_t k = 0; k < INNER; k++) sum += m->a[row * INNER + k] * m->b[(n / 16 * INNER + k) * 16 + n % 16];
      if (m->output[row * COLUMNS + n] != (sum < -40.0f ? -40.0f : sum > 50.0f ? 50.0f : sum)) return 0;
    }
  }
  return 1;
}

/* The same product of weights kept smaller: one row takes another way than several. */
static int test_weights(mlc_context *context, test_memory *m) {
  static const uint16_t half_of[] = {0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500}; /* 0 to 5 */
  fill(m);
  for (uint32_t i = 0; i < PANELS * INNER * 16; i++) {
    const int32_t value = (int32_t)m->b[i];
    m->halves[i] = (uint16_t)(value < 0 ? half_of[-value] | 0x8000 : half_of[value]);
    m->bytes[i] = (int8_t)value;
  }
  mlc_dense_record record = {.opcode = MLC_OP_DENSE, .input = AT(a), .output = AT(output), .inner_count = INNER,
                             .column_count = COLUMNS, .weight_scales = AT(bias)};
  for (int32_t i = 0; i < 4; i++) {
    const int is_half = i % 2;
    record.row_count = i < 2 ? 1 : ROWS;
    record.weights_type = is_half ? MLC_WEIGHTS_TYPE_F16 : MLC_WEIGHTS_TYPE_I8;
    record.weights = is_half ? AT(halves) : AT(bytes);
    if (!run(context, &record)) return 0;
    for (uint32_t row = 0; row < (uint32_t)record.row_count; row++) {
      for (uint32_t n = 0; n < COLUMNS; n++) {
        float sum = 0.0f;
        for (uint32_t k = 0; k < INNER; k++) sum += m->a[row * INNER + k] * m->b[(n / 16 * INNER + k) * 16 + n % 16];
        if (m->output[row * COLUMNS + n] != (is_half ? sum : sum * m->bias[n])) return 0;
      }
    }
  }
  return 1;
}

static int test_matmul(mlc_context *context, test_memory *m) {
  const mlc_matmul_record record = {.opcode = MLC_OP_MATMUL, .a = AT(a), .b = AT(b), .output = AT(output),
                                    .batch_count = 2, .row_count = ROWS, .inner_count = INNER,
                                    .column_count = COLUMNS, .a_batch_stride = ROWS * INNER};
  fill(m);
  if (!run(context, &record)) return 0;
  for (uint32_t row = 0; row < 2 * ROWS; row++) {
    for (uint32_t n = 0; n < COLUMNS; n++) {
      float sum = 0.0f;
      for (uint32_t k = 0; k < INNER; k++) sum += m->a[row * INNER + k] * m->b[k * COLUMNS + n];
      if (m->output[row * COLUMNS + n] != sum) return 0;
    }
  }
  return 1;
}

static int test_conv(mlc_context *context, test_memory *m) {
  const uint32_t side = (SIDE + 1) / 2, inputs = 3, outputs = 20;
  const mlc_conv2d_record record = {
      .opcode = MLC_OP_CONV2D, .input = AT(a), .weights = AT(b), .bias = AT(bias), .output = AT(output), .batch = 1,
      .input_height = SIDE, .input_width = SIDE, .input_channels = 3, .output_height = 5, .output_width = 5,
      .output_channels = 20, .kernel_height = 3, .kernel_width = 3, .stride_height = 2, .stride_width = 2,
      .pad_top = 1, .pad_left = 1, .dilation_height = 1, .dilation_width = 1, .groups = 1,
      .flags = MLC_FLAG_HAS_BIAS};
  fill(m);
  if (!run(context, &record)) return 0;
  for (uint32_t i = 0; i < side * side * outputs; i++) {
    const uint32_t n = i % outputs, x = i / outputs % side, y = i / outputs / side;
    float sum = m->bias[n];
    for (uint32_t k = 0; k < 9 * inputs; k++) {
      const int32_t iy = (int32_t)(y * 2 + k / inputs / 3) - 1, ix = (int32_t)(x * 2 + k / inputs % 3) - 1;
      if (iy < 0 || ix < 0 || iy >= SIDE || ix >= SIDE) continue;
      sum += m->a[((uint32_t)iy * SIDE + (uint32_t)ix) * inputs + k % inputs] *
             m->b[(n / 16 * 9 * inputs + k) * 16 + n % 16];
    }
    if (m->output[i] != sum) return 0;
  }
  return 1;
}

static int test_windows(mlc_context *context, test_memory *m) {
  const uint32_t side = 6;
  const mlc_depthwise_conv2d_record depthwise = {
      .opcode = MLC_OP_DEPTHWISE_CONV2D, .input = AT(a), .weights = AT(b), .bias = AT(bias), .output = AT(output),
      .batch = 1, .input_height = 6, .input_width = 6, .channels = CHANNELS, .output_height = 6, .output_width = 6,
      .kernel_height = 3, .kernel_width = 3, .stride_height = 1, .stride_width = 1, .pad_top = 1, .pad_left = 1,
      .dilation_height = 1, .dilation_width = 1, .flags = MLC_FLAG_HAS_BIAS};
  const mlc_pool2d_record pool = {
      .opcode = MLC_OP_POOL2D, .input = AT(a), .output = AT(output), .batch = 1, .input_height = 6, .input_width = 6,
      .channels = CHANNELS, .output_height = 6, .output_width = 6, .kernel_height = 3, .kernel_width = 3,
      .stride_height = 1, .stride_width = 1, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
      .dilation_height = 1, .dilation_width = 1, .pool = MLC_POOL_MAX};
  for (int pooling = 0; pooling < 2; pooling++) {
    fill(m);
    if (!run(context, pooling ? (const void *)&pool : (const void *)&depthwise)) return 0;
    for (uint32_t i = 0; i < side * side * CHANNELS; i++) {
      const uint32_t c = i % CHANNELS, x = i / CHANNELS % side, y = i / CHANNELS / side;
      float sum = m->bias[c], best = -100.0f;
      for (uint32_t k = 0; k < 9; k++) {
        const uint32_t iy = y + k / 3 - 1, ix = x + k % 3 - 1; /* -1 wraps to a large number */
        if (iy >= side || ix >= side) continue;
        const float value = m->a[(iy * side + ix) * CHANNELS + c];
        sum += value * m->b[(c / 16 * 9 + k) * 16 + c % 16];
        if (value > best) best = value;
      }
      if (m->output[i] != (pooling ? best : sum)) return 0;
    }
  }
  return 1;
}

/* Within 4 units in the last place. */
static int near(float got, float expected) {
  const float difference = got > expected ? got - expected : expected - got;
  return difference <= (expected < 0.0f ? -expected : expected) * 2.4e-7f;
}

static int test_functions(mlc_context *context, test_memory *m) {
  static const struct {
    int32_t unary;
    float input, expected;
  } cases[] = {
      {MLC_UNARY_EXP, 1.5f, 4.48168907f},      {MLC_UNARY_EXP, -20.25f, 1.60522807e-09f},
      {MLC_UNARY_LOG, 0.3f, -1.20397276f},     {MLC_UNARY_TANH, 0.3f, 0.291312624f},
      {MLC_UNARY_TANH, -1.25f, -0.848283640f}, {MLC_UNARY_ERF, 0.4f, 0.428392361f},
      {MLC_UNARY_ERF, -1.5f, -0.966105146f},   {MLC_UNARY_SIGMOID, 0.75f, 0.679178699f},
      {MLC_UNARY_SQRT, 2.0f, 1.41421356f},     {MLC_UNARY_FLOOR, -1.5f, -2.0f},
      {MLC_UNARY_SOFTPLUS, -0.5f, 0.474076984f},
  };
  mlc_unary_record record = {.opcode = MLC_OP_UNARY, .input = AT(a), .output = AT(output), .count = 21};
  for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    for (int32_t j = 0; j < record.count; j++) m->a[j] = cases[i].input;
    record.unary = cases[i].unary;
    if (!run(context, &record)) return 0;
    for (int32_t j = 0; j < record.count; j++) {
      if (!near(m->output[j], cases[i].expected)) return 0;
    }
  }
  mlc_softmax_record softmax = {.opcode = MLC_OP_SOFTMAX, .input = AT(a), .output = AT(output), .outer_count = 2,
                                .axis_count = 21, .inner_count = 3};
  fill(m);
  if (!run(context, &softmax)) return 0;
  for (uint32_t column = 0; column < 6; column++) {
    float sum = 0.0f;
    for (uint32_t i = 0; i < 21; i++) sum += m->output[column / 3 * 63 + i * 3 + column % 3];
    if (sum < 0.999999f || sum > 1.000001f) return 0;
  }
  return 1;
}

static int test_movement(mlc_context *context, test_memory *m) {
  const mlc_copy_record transpose = {.opcode = MLC_OP_COPY, .input = AT(a), .output = AT(output),
                                     .element_size_bytes = 4, .dims = {1, 1, 1, 1, 1, 1, 5, 7},
                                     .input_strides = {0, 0, 0, 0, 0, 0, 1, 5},
                                     .output_strides = {0, 0, 0, 0, 0, 0, 7, 1}};
  const mlc_binary_record add = {.opcode = MLC_OP_BINARY, .a = AT(a), .b = AT(bias), .output = AT(residual),
                                 .binary = MLC_BINARY_ADD, .dims = {1, 1, 1, 1, 5, 7},
                                 .a_strides = {0, 0, 0, 0, 1, 5}, .b_strides = {0, 0, 0, 0, 0, 1}};
  const mlc_fill_record fill_record = {.opcode = MLC_OP_FILL, .output = AT(b), .element_size_bytes = 4, .count = 3,
                                       .bits = 0x3f800000};
  fill(m);
  if (!run(context, &transpose) || !run(context, &add) || !run(context, &fill_record)) return 0;
  for (uint32_t i = 0; i < 35; i++) {
    const float moved = m->a[i % 7 * 5 + i / 7];
    if (m->output[i] != moved || m->residual[i] != moved + m->bias[i % 7]) return 0;
  }
  return m->b[0] == 1.0f && m->b[2] == 1.0f && m->b[3] != 1.0f;
}

#define BYTES_OF(field) ((uint8_t *)(void *)m->field)

/* Scales and multipliers are powers of two, so that integers say what comes out: a sum over eight, and half of two bytes. */
static int test_quantized(mlc_context *context, test_memory *m) {
  const uint32_t side = SIDE, inputs = 6, outputs = 20;
  const mlc_quantized_conv2d_record conv = {
      .opcode = MLC_OP_QUANTIZED_CONV2D, .input = AT(a), .weights = AT(b), .residual = AT(residual), .output = AT(output),
      .batch = 1, .input_height = SIDE, .input_width = SIDE, .input_channels = 6, .output_height = SIDE,
      .output_width = SIDE, .output_channels = 20, .kernel_height = 1, .kernel_width = 3, .stride_height = 1,
      .stride_width = 1, .pad_left = 1, .dilation_height = 1, .dilation_width = 1, .groups = 1,
      .flags = MLC_FLAG_HAS_RESIDUAL, .input_zero = 7, .zero = 100, .high = 255, .scale = 1.0f, .residual_scale = 1.0f,
      .sum_high = 255, .sum_scale = 2.0f};
  const mlc_quantized_add_record add = {.opcode = MLC_OP_QUANTIZED_ADD, .a = AT(output), .b = AT(residual), .output = AT(a),
                                        .count = 100, .a_scale = 1.0f, .b_scale = 1.0f, .high = 255, .scale = 2.0f};
  const uint32_t panel_bytes = 128 + 3 * 2 * 64, count = side * side * outputs;
  uint8_t *bytes = BYTES_OF(a), *panels = BYTES_OF(b), *residual = BYTES_OF(residual), *output = BYTES_OF(output);
  for (uint32_t i = 0; i < side * side * inputs; i++) bytes[i] = (uint8_t)(i * 37 % 256);
  for (uint32_t i = 0; i < count; i++) residual[i] = (uint8_t)(i * 11 % 256);
  for (uint32_t i = 0; i < 2 * panel_bytes; i++) panels[i] = (uint8_t)(i * 29 % 251);
  for (uint32_t n = 0; n < 32; n++) {
    uint8_t *column = panels + n / 16 * panel_bytes + n % 16 * 4;
    const int32_t bias = (int32_t)n - 16;
    const float multiplier = 1.0f / 512;
    __builtin_memcpy(column, &bias, 4);
    __builtin_memcpy(column + 64, &multiplier, 4);
  }
  if (!run(context, &conv)) return 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t n = i % outputs, x = i / outputs % side, y = i / outputs / side;
    const int8_t *column = (const int8_t *)panels + n / 16 * panel_bytes + 128 + n % 16 * 4;
    int32_t sum = (int32_t)n - 16;
    for (uint32_t k = 0; k < 3 * inputs; k++) {
      const uint32_t ix = x + k / inputs - 1, c = k % inputs; /* -1 wraps to a large number */
      const int32_t value = ix < side ? bytes[(y * side + ix) * inputs + c] : 7;
      sum += value * column[(k / inputs * 2 + c / 4) * 64 + c % 4];
    }
    const float q = i8_bounded((float)sum / 512, -100.0f, 155.0f);
    if (output[i] != (uint8_t)i8_bounded((q + (float)residual[i]) / 2, 0.0f, 255.0f)) return 0;
  }
  if (!run(context, &add)) return 0;
  for (uint32_t i = 0; i < 100; i++) {
    if (bytes[i] != (uint8_t)i8_bounded((float)(output[i] + residual[i]) / 2, 0.0f, 255.0f)) return 0;
  }
  return 1;
}

uint32_t mlc_self_test(const mlc_context *context) {
  static int (*const tests[])(mlc_context *, test_memory *) = {test_dense,     test_matmul,   test_conv,    test_windows,
                                                               test_functions, test_movement, test_weights, test_quantized};
  _Static_assert(PANELS * INNER * 16 <= 8192 && PANELS * 16 >= COLUMNS, "weights fit");
  test_memory memory;
  mlc_context own = *context;
  own.memory = (uint8_t *)&memory;
  own.memory_size_bytes = sizeof memory;
  for (uint32_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    if (!tests[i](&own, &memory)) return i + 1;
  }
  return 0;
}
