/* SPDX-License-Identifier: Apache-2.0 */
/* Smaller weights: each stands for the float that it should, and gives the bits that this float gives. */
#include <math.h>

#include "reference.h"

static void test_widening(const mlc_kernel_set *kernels) {
  const char *isa = mlc_kernel_set_isa(kernels);
  const float scales[16] = {1.0f, 0.1f, -3.0f, 0x1p-130f, 0x1p100f, 0.7f, 1e-7f, 5.0f, 1, 2, 3, 4, 5, 6, 7, 8};
  uint16_t *halves = malloc(65536 * sizeof *halves);
  float *widened = malloc(65536 * sizeof *widened);
  for (uint32_t i = 0; i < 65536; i++) halves[i] = (uint16_t)i;
  kernels->widen(MLC_WEIGHTS_TYPE_F16, (const uint8_t *)halves, NULL, 4096, widened);
  for (uint32_t i = 0; i < 65536; i++) {
    const float expected = reference_half((uint16_t)i);
    const int equal = memcmp(&widened[i], &expected, sizeof expected) == 0;
    CHECK(equal || !isfinite(expected), "float16 %04x on %s is %.9g, not %.9g", i, isa, widened[i], expected);
  }
  uint8_t *bytes = (uint8_t *)halves;
  for (uint32_t i = 0; i < 4096; i++) bytes[i] = (uint8_t)(i / 16);
  kernels->widen(MLC_WEIGHTS_TYPE_I8, bytes, scales, 256, widened);
  for (uint32_t i = 0; i < 4096; i++) {
    const float expected = (float)(int8_t)(i / 16) * scales[i % 16];
    CHECK(memcmp(&widened[i], &expected, sizeof expected) == 0, "int8 %d on %s is %.9g, not %.9g", (int8_t)(i / 16), isa,
          widened[i], expected);
  }
  free(halves);
  free(widened);
}

/* The same record over the floats that its weights stand for, which lie behind the memory of the first. */
static void widen_record(int32_t *record, uint8_t *memory, uint32_t size_bytes) {
  mlc_dense_record *dense = (void *)record;
  mlc_conv2d_record *conv = (void *)record;
  const int is_dense = record[0] == MLC_OP_DENSE;
  const uint32_t count = weight_count_of(record), weights = is_dense ? dense->weights : conv->weights;
  const uint32_t scales = is_dense ? dense->weight_scales : conv->weight_scales;
  const int32_t type = is_dense ? dense->weights_type : conv->weights_type;
  const int32_t columns = is_dense ? dense->column_count : conv->output_channels / conv->groups;
  const int32_t inner = (int32_t)count / ((columns + 15) / 16 * 16 * (is_dense ? 1 : conv->groups));
  const int32_t panels = (columns + 15) / 16;
  float *to = (void *)(memory + size_bytes);
  for (int32_t i = 0; i < (int32_t)count; i++) {
    const int32_t panel = i / 16 / inner, column = panel % panels * 16 + i % 16;
    const int32_t scale = panel / panels * columns + column;
    /* What fills up a panel has no scale; it must not count. */
    to[i] = column < columns ? reference_weight(memory, type, weights, i, scales, scale) : 77.0f;
  }
  if (is_dense) {
    dense->weights = size_bytes;
    dense->weights_type = MLC_WEIGHTS_TYPE_F32;
  } else {
    conv->weights = size_bytes;
    conv->weights_type = MLC_WEIGHTS_TYPE_F32;
  }
}

#define HALF_SIZE_BYTES (1u << 20)

static void test_bits(const int32_t *record, uint32_t round) {
  const uint32_t half = HALF_SIZE_BYTES, size = half + (3u << 20);
  int32_t widened[MLC_RECORD_WORD_COUNT];
  for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) {
    for (uint32_t workers = 1; workers <= 2; workers++) {
      mlc_context *context = make_context(*sets, size, workers), *other = make_context(*sets, size, workers);
      random_seed(round);
      for (uint32_t at = 0; at < half; at += 4) {
        const float value = random_float();
        memcpy(context->memory + at, &value, sizeof value);
      }
      settle_weights(context->memory, record);
      memcpy(other->memory, context->memory, half);
      memcpy(widened, record, sizeof widened);
      widen_record(widened, other->memory, half);
      CHECK(mlc_check_record(widened, size) == MLC_RECORD_OK, "widened record of opcode %d", record[0]);
      mlc_run_record(context, record);
      mlc_run_record(other, widened);
      CHECK(memcmp(context->memory, other->memory, half) == 0, "opcode %d, round %u on %s: bits differ from those of floats",
            record[0], round, mlc_kernel_set_isa(*sets));
      free_context(context);
      free_context(other);
    }
  }
}

void test_weights(void) {
  for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) test_widening(*sets);
  for (uint32_t round = 0; round < 120; round++) {
    int32_t record[MLC_RECORD_WORD_COUNT];
    const int32_t opcode = round % 2 == 0 ? MLC_OP_DENSE : MLC_OP_CONV2D;
    random_seed(round * 31 + (uint32_t)opcode);
    random_record(opcode, HALF_SIZE_BYTES, record);
    test_bits(record, round);
  }
  /* More than fits the scratch at a time, below and above where instruction sets begin to widen panels beforehand. */
  static const int32_t row_counts[] = {1, 4, 5, 6, 7, 14, 15, 28, 29};
  for (size_t i = 0; i < sizeof row_counts / sizeof row_counts[0]; i++) {
    const mlc_dense_record record = {.opcode = MLC_OP_DENSE, .input = 640 * 1024, .weights = 0, .output = 1000 * 1024,
                                     .row_count = row_counts[i], .inner_count = 3000, .column_count = 200,
                                     .weights_type = MLC_WEIGHTS_TYPE_I8, .weight_scales = 636 * 1024};
    CHECK(mlc_check_record((const int32_t *)&record, HALF_SIZE_BYTES) == MLC_RECORD_OK, "record of %d rows", row_counts[i]);
    test_bits((const int32_t *)&record, (uint32_t)i);
  }
}
