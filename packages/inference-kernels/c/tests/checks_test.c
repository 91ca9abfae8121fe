/* SPDX-License-Identifier: Apache-2.0 */
/* Records that must be refused, by the field at fault; then random damage, where a refusal or a clean run are right. */
#include "check_cases.h"
#include "reference.h"

#define HOSTILE_MEMORY_SIZE_BYTES 16384u

static mlc_conv2d_record good_conv(void) {
  return (mlc_conv2d_record){
      .opcode = MLC_OP_CONV2D, .input = 0, .weights = 1024, .bias = 4096, .residual = 8192, .output = 5120, .batch = 1,
      .input_height = 4, .input_width = 4, .input_channels = 4, .output_height = 4, .output_width = 4,
      .output_channels = 8, .kernel_height = 3, .kernel_width = 3, .stride_height = 1, .stride_width = 1, .pad_top = 1,
      .pad_left = 1, .dilation_height = 1, .dilation_width = 1, .groups = 1, .flags = 3, .weight_scales = 4096 + 32};
}

void test_checks(void) {
  mlc_conv2d_record good = good_conv();
  CHECK(mlc_check_record((const int32_t *)&good, HOSTILE_MEMORY_SIZE_BYTES) == MLC_RECORD_OK, "good record");
  for (size_t i = 0; i < sizeof check_cases / sizeof check_cases[0]; i++) {
    mlc_conv2d_record record = good_conv();
    ((int32_t *)&record)[check_cases[i].change] = check_cases[i].value;
    const int32_t word = mlc_check_record((const int32_t *)&record, HOSTILE_MEMORY_SIZE_BYTES);
    CHECK(word == check_cases[i].refused, "case %zu: word %d, not %d", i, word, check_cases[i].refused);
  }
  /* The last byte counts: one float less of memory and the record does not fit. */
  mlc_dense_record dense = {.opcode = MLC_OP_DENSE, .input = 0, .weights = 64, .output = 128 + 64 * 2, .row_count = 2,
                            .inner_count = 3, .column_count = 5};
  CHECK(mlc_check_record((const int32_t *)&dense, 256 + 40) == MLC_RECORD_OK, "dense fits to the byte");
  CHECK(mlc_check_record((const int32_t *)&dense, 256 + 39) == MLC_WORD(mlc_dense_record, output), "dense, one short");
  /* Smaller weights take less room, and int8 needs its scales. */
  dense.output = 256 - 64;
  CHECK(mlc_check_record((const int32_t *)&dense, 512) == MLC_WORD(mlc_dense_record, output), "weights of 192 bytes");
  dense.weights_type = MLC_WEIGHTS_TYPE_F16;
  CHECK(mlc_check_record((const int32_t *)&dense, 512) == MLC_RECORD_OK, "weights of 96 bytes");
  dense.weights_type = MLC_WEIGHTS_TYPE_I8;
  dense.weight_scales = 512 - 16;
  CHECK(mlc_check_record((const int32_t *)&dense, 512) == MLC_WORD(mlc_dense_record, weight_scales), "scales, one short");
  CHECK(mlc_check_record((const int32_t *)&dense, 516) == MLC_RECORD_OK, "scales fit to the byte");
  dense.weight_scales = 498;
  CHECK(mlc_check_record((const int32_t *)&dense, 1024) == MLC_WORD(mlc_dense_record, weight_scales), "odd scales");
  dense.weight_scales = dense.output + 36;
  CHECK(mlc_check_record((const int32_t *)&dense, 1024) == MLC_WORD(mlc_dense_record, weight_scales), "scales in output");
  mlc_copy_record copy = {.opcode = MLC_OP_COPY, .input = 40, .output = 64, .element_size_bytes = 4,
                          .dims = {1, 1, 1, 1, 1, 1, 1, 11}, .input_strides = {0, 0, 0, 0, 0, 0, 0, -1},
                          .output_strides = {0, 0, 0, 0, 0, 0, 0, 1}};
  CHECK(mlc_check_record((const int32_t *)&copy, 108) == MLC_RECORD_OK, "reversed copy");
  copy.input = 36;
  CHECK(mlc_check_record((const int32_t *)&copy, 108) == MLC_WORD(mlc_copy_record, input), "copy from below 0");
  copy.input = 40;
  copy.output_strides[7] = 0;
  CHECK(mlc_check_record((const int32_t *)&copy, 108) == MLC_WORD(mlc_copy_record, output_strides), "copy onto itself");
  mlc_binary_record add = {.opcode = MLC_OP_BINARY, .a = 0, .b = 64, .output = 0, .dims = {1, 1, 1, 1, 2, 3},
                           .a_strides = {0, 0, 0, 0, 3, 1}, .b_strides = {0, 0, 0, 0, 0, 1}};
  CHECK(mlc_check_record((const int32_t *)&add, 128) == MLC_RECORD_OK, "add in place");
  add.a_strides[4] = 0;
  CHECK(mlc_check_record((const int32_t *)&add, 128) == MLC_WORD(mlc_binary_record, output), "broadcast in place");
}

static int32_t hostile_value(void) {
  static const int32_t extremes[] = {0, -1, 1, INT32_MIN, INT32_MAX, 65536, 1 << 30, -2147483647, 64, 16384, 4096, 3};
  switch (random_below(4)) {
    case 0: return (int32_t)random_u32();
    case 1: return (int32_t)random_below(64);
    default: return extremes[random_below(sizeof extremes / sizeof extremes[0])];
  }
}

/* Compact valid records with one to three words replaced. What the check lets through must run inside the memory. */
void test_hostile(uint32_t rounds) {
  uint32_t accepted = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    int32_t record[MLC_RECORD_WORD_COUNT];
    random_seed(i + 77);
    const int32_t opcode = (int32_t)random_below(15) + 1;
    do {
      random_record(opcode, 65536, record);
    } while (mlc_check_record(record, 65536) != MLC_RECORD_OK);
    /* The smallest memory that holds the record: then every overrun of one element shows. */
    uint32_t size = 65536;
    for (uint32_t step = size / 2; step >= 64; step /= 2) {
      if (mlc_check_record(record, size - step) == MLC_RECORD_OK) size -= step;
    }
    const uint32_t changes = random_below(4);
    for (uint32_t j = 0; j < changes; j++) record[random_below(42)] = hostile_value();
    if (mlc_check_record(record, size) != MLC_RECORD_OK) continue;
    accepted++;
    for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) {
      mlc_context *context = make_context(*sets, size, 1 + random_below(2));
      for (uint32_t at = 0; at + 4 <= size; at += 4) {
        const float value = random_float();
        memcpy(context->memory + at, &value, 4);
      }
      mlc_run_record(context, record);
      free_context(context);
    }
  }
  printf("  %u of %u damaged records accepted and run\n", accepted, rounds);
  CHECK(accepted > rounds / 10, "damage leaves too few valid records: %u", accepted);
}
