/* SPDX-License-Identifier: Apache-2.0 */
/* Random valid records on every kernel set, one worker and three, against plain loops. */
#include <math.h>

#include "reference.h"

#define MEMORY_SIZE_BYTES (1u << 20)

static void fill_memory(uint8_t *memory, int positive) {
  for (uint32_t i = 0; i < MEMORY_SIZE_BYTES; i += 4) {
    const float value = positive ? 0.1f + (random_float() + 1.0f) : random_float();
    memcpy(memory + i, &value, 4);
  }
}

static void compare(const char *isa, const uint8_t *memory, const int32_t *record, const reference_answer *answer) {
  for (uint32_t i = 0; i < answer->count && answer->is_bytes; i++) {
    const uint8_t got = memory[answer->output + i];
    CHECK(got == answer->expected[i], "opcode %d on %s: byte %u is %u, not %g", record[0], isa, i, got, answer->expected[i]);
    if (got != answer->expected[i]) return;
  }
  for (uint32_t i = 0; i < answer->count && !answer->is_bytes; i++) {
    float got;
    memcpy(&got, memory + answer->output + i * 4, 4);
    const double expected = answer->expected[i];
    const int equal = isnan(expected) ? isnan(got) : got == (float)expected || fabs(got - expected) <= answer->tolerance[i];
    CHECK(equal, "opcode %d on %s: element %u is %.9g, not %.9g", record[0], isa, i, got, expected);
    if (!equal) return;
  }
}

static void run_everywhere(const int32_t *record, const uint8_t *start, const reference_answer *answer) {
  uint8_t *one_worker = malloc(MEMORY_SIZE_BYTES), *first_set = malloc(MEMORY_SIZE_BYTES);
  const int sums = record[0] <= MLC_OP_MATMUL;
  CHECK(mlc_check_record(record, MEMORY_SIZE_BYTES) == MLC_RECORD_OK, "opcode %d refused at word %d", record[0],
        mlc_check_record(record, MEMORY_SIZE_BYTES));
  for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) {
    const char *isa = mlc_kernel_set_isa(*sets);
    for (uint32_t workers = 1; workers <= 3; workers += 2) {
      mlc_context *context = make_context(*sets, MEMORY_SIZE_BYTES, workers);
      memcpy(context->memory, start, MEMORY_SIZE_BYTES);
      mlc_run_record(context, record);
      if (answer != NULL) compare(isa, context->memory, record, answer);
      if (workers == 1) memcpy(one_worker, context->memory, MEMORY_SIZE_BYTES);
      CHECK(memcmp(one_worker, context->memory, MEMORY_SIZE_BYTES) == 0, "opcode %d on %s depends on workers",
            record[0], isa);
      if (sets == mlc_kernel_sets()) memcpy(first_set, context->memory, MEMORY_SIZE_BYTES);
      if (!sums) {
        CHECK(memcmp(first_set, context->memory, MEMORY_SIZE_BYTES) == 0, "opcode %d differs on %s", record[0], isa);
      }
      free_context(context);
    }
  }
  free(one_worker);
  free(first_set);
}

/* Multipliers that bring sums into the range of bytes. */
static void tame_multipliers(uint8_t *memory, const int32_t *record) {
  const mlc_quantized_conv2d_record *r = (const void *)record;
  const int32_t ic = r->input_channels / r->groups, panels = (r->output_channels / r->groups + 15) / 16 * r->groups;
  const size_t panel_bytes = 128 + (size_t)(r->kernel_height * r->kernel_width * ((ic + 3) / 4)) * 64;
  for (int32_t panel = 0; panel < panels; panel++) {
    for (size_t n = 0; n < 16; n++) {
      uint8_t *at = memory + r->weights + (size_t)panel * panel_bytes + 4 * n;
      const int32_t bias = (int32_t)random_below(20001) - 10000;
      const float multiplier = random_float() / (50.0f * (float)ic);
      memcpy(at, &bias, 4);
      memcpy(at + 64, &multiplier, 4);
    }
  }
}

static void test_opcode(int32_t opcode, int rounds) {
  int32_t record[MLC_RECORD_WORD_COUNT];
  uint8_t *start = malloc(MEMORY_SIZE_BYTES);
  reference_answer answer;
  answer.expected = malloc(MEMORY_SIZE_BYTES * 2);
  answer.tolerance = malloc(MEMORY_SIZE_BYTES * 2);
  for (int i = 0; i < rounds; i++) {
    random_seed((uint32_t)(opcode * 100000 + i));
    random_record(opcode, MEMORY_SIZE_BYTES, record);
    const int positive = (opcode == MLC_OP_UNARY && record[4] != MLC_UNARY_ERF) || opcode == MLC_OP_BINARY;
    fill_memory(start, positive);
    settle_weights(start, record);
    if (opcode == MLC_OP_QUANTIZED_CONV2D && i % 8 != 0) tame_multipliers(start, record);
    reference_run(start, record, &answer);
    run_everywhere(record, start, &answer);
  }
  free(start);
  free(answer.expected);
  free(answer.tolerance);
}

void test_products(void) {
  test_opcode(MLC_OP_DENSE, 150);
  test_opcode(MLC_OP_MATMUL, 60);
  test_opcode(MLC_OP_CONV2D, 200);
}

void test_quantized(void) {
  test_opcode(MLC_OP_QUANTIZED_CONV2D, 160);
  test_opcode(MLC_OP_QUANTIZED_MAX_POOL2D, 60);
  test_opcode(MLC_OP_QUANTIZE, 60);
  test_opcode(MLC_OP_DEQUANTIZE, 60);
  test_opcode(MLC_OP_QUANTIZED_ADD, 60);
}

void test_windows(void) {
  test_opcode(MLC_OP_DEPTHWISE_CONV2D, 100);
  test_opcode(MLC_OP_POOL2D, 100);
}

static void test_moves(int rounds) {
  uint8_t *start = malloc(MEMORY_SIZE_BYTES), *expected = malloc(MEMORY_SIZE_BYTES);
  int32_t record[MLC_RECORD_WORD_COUNT];
  for (int i = 0; i < rounds; i++) {
    random_seed((uint32_t)i);
    random_record(MLC_OP_COPY, MEMORY_SIZE_BYTES, record);
    const mlc_copy_record *r = (const void *)record;
    fill_memory(start, 0);
    memcpy(expected, start, MEMORY_SIZE_BYTES);
    uint32_t count = 1;
    for (int d = 0; d < 8; d++) count *= (uint32_t)r->dims[d];
    for (uint32_t at = 0; at < count; at++) {
      int64_t from = 0, to = 0;
      uint32_t rest = at;
      for (int d = 7; d >= 0; d--) {
        from += (int64_t)(rest % (uint32_t)r->dims[d]) * r->input_strides[d];
        to += (int64_t)(rest % (uint32_t)r->dims[d]) * r->output_strides[d];
        rest /= (uint32_t)r->dims[d];
      }
      memcpy(expected + r->output + to * r->element_size_bytes, start + r->input + from * r->element_size_bytes,
             (size_t)r->element_size_bytes);
    }
    mlc_context *context = make_context(mlc_kernel_sets()[0], MEMORY_SIZE_BYTES, 3);
    memcpy(context->memory, start, MEMORY_SIZE_BYTES);
    CHECK(mlc_check_record(record, MEMORY_SIZE_BYTES) == MLC_RECORD_OK, "copy refused at word %d",
          mlc_check_record(record, MEMORY_SIZE_BYTES));
    mlc_run_record(context, record);
    CHECK(memcmp(context->memory, expected, MEMORY_SIZE_BYTES) == 0, "copy, round %d", i);
    free_context(context);
  }
  free(start);
  free(expected);
}

static void test_fill(void) {
  mlc_context *context = make_context(mlc_kernel_sets()[0], 64, 1);
  mlc_fill_record r = {.opcode = MLC_OP_FILL, .output = 8, .element_size_bytes = 8, .count = 2, .bits = -2};
  mlc_run_record(context, (const int32_t *)&r);
  r = (mlc_fill_record){.opcode = MLC_OP_FILL, .output = 31, .element_size_bytes = 1, .count = 3, .bits = 0x1ff};
  mlc_run_record(context, (const int32_t *)&r);
  r = (mlc_fill_record){.opcode = MLC_OP_FILL, .output = 40, .element_size_bytes = 2, .count = 1, .bits = 0x12345};
  mlc_run_record(context, (const int32_t *)&r);
  int64_t wide[2];
  memcpy(wide, context->memory + 8, 16);
  CHECK(wide[0] == -2 && wide[1] == -2, "8-byte fill sign-extends");
  CHECK(context->memory[30] == 0 && context->memory[31] == 0xff && context->memory[33] == 0xff &&
            context->memory[34] == 0, "1-byte fill");
  CHECK(context->memory[40] == 0x45 && context->memory[41] == 0x23 && context->memory[42] == 0, "2-byte fill");
  free_context(context);
}

void test_elements(void) {
  test_opcode(MLC_OP_UNARY, 120);
  test_opcode(MLC_OP_BINARY, 120);
  test_opcode(MLC_OP_SOFTMAX, 60);
  test_moves(120);
  test_fill();
}
