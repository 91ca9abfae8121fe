/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

/* First word of a record type that no field owns. */
#define USED_WORDS(type) MLC_WORD(type, reserved)

static int32_t used_words(int32_t opcode) {
  switch (opcode) {
    case MLC_OP_CONV2D: return USED_WORDS(mlc_conv2d_record);
    case MLC_OP_DEPTHWISE_CONV2D: return USED_WORDS(mlc_depthwise_conv2d_record);
    case MLC_OP_DENSE: return USED_WORDS(mlc_dense_record);
    case MLC_OP_MATMUL: return USED_WORDS(mlc_matmul_record);
    case MLC_OP_POOL2D: return USED_WORDS(mlc_pool2d_record);
    case MLC_OP_UNARY: return USED_WORDS(mlc_unary_record);
    case MLC_OP_BINARY: return USED_WORDS(mlc_binary_record);
    case MLC_OP_SOFTMAX: return USED_WORDS(mlc_softmax_record);
    case MLC_OP_COPY: return USED_WORDS(mlc_copy_record);
    case MLC_OP_FILL: return USED_WORDS(mlc_fill_record);
    case MLC_OP_QUANTIZED_CONV2D: return USED_WORDS(mlc_quantized_conv2d_record);
    case MLC_OP_QUANTIZE: return USED_WORDS(mlc_quantize_record);
    case MLC_OP_DEQUANTIZE: return USED_WORDS(mlc_dequantize_record);
    case MLC_OP_QUANTIZED_ADD: return USED_WORDS(mlc_quantized_add_record);
    case MLC_OP_QUANTIZED_MAX_POOL2D: return USED_WORDS(mlc_quantized_max_pool2d_record);
    default: return 0;
  }
}

int32_t mlc_check_record(const int32_t record[MLC_RECORD_WORD_COUNT], uint64_t memory_size_bytes) {
  const int32_t used = used_words(record[0]);
  if (used == 0) return 0;
  for (int32_t word = used; word < MLC_RECORD_WORD_COUNT; word++) {
    if (record[word] != 0) return word;
  }
  const void *body = record;
  switch (record[0]) {
    case MLC_OP_CONV2D: return mlc_check_conv2d(body, memory_size_bytes);
    case MLC_OP_DEPTHWISE_CONV2D: return mlc_check_depthwise_conv2d(body, memory_size_bytes);
    case MLC_OP_DENSE: return mlc_check_dense(body, memory_size_bytes);
    case MLC_OP_MATMUL: return mlc_check_matmul(body, memory_size_bytes);
    case MLC_OP_POOL2D: return mlc_check_pool2d(body, memory_size_bytes);
    case MLC_OP_UNARY: return mlc_check_unary(body, memory_size_bytes);
    case MLC_OP_BINARY: return mlc_check_binary(body, memory_size_bytes);
    case MLC_OP_SOFTMAX: return mlc_check_softmax(body, memory_size_bytes);
    case MLC_OP_COPY: return mlc_check_copy(body, memory_size_bytes);
    case MLC_OP_FILL: return mlc_check_fill(body, memory_size_bytes);
    case MLC_OP_QUANTIZED_CONV2D: return mlc_check_quantized_conv2d(body, memory_size_bytes);
    case MLC_OP_QUANTIZE: return mlc_check_quantize(body, memory_size_bytes);
    case MLC_OP_DEQUANTIZE: return mlc_check_dequantize(body, memory_size_bytes);
    case MLC_OP_QUANTIZED_ADD: return mlc_check_quantized_add(body, memory_size_bytes);
    default: return mlc_check_quantized_max_pool2d(body, memory_size_bytes);
  }
}
