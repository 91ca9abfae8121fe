/* SPDX-License-Identifier: Apache-2.0 */
#include "context.h"

void mlc_run_record(const mlc_context *context, const int32_t record[MLC_RECORD_WORD_COUNT]) {
  const void *body = record;
  switch (record[0]) {
    case MLC_OP_CONV2D: mlc_run_conv2d(context, body); break;
    case MLC_OP_DEPTHWISE_CONV2D: mlc_run_depthwise_conv2d(context, body); break;
    case MLC_OP_DENSE: mlc_run_dense(context, body); break;
    case MLC_OP_MATMUL: mlc_run_matmul(context, body); break;
    case MLC_OP_POOL2D: mlc_run_pool2d(context, body); break;
    case MLC_OP_UNARY: mlc_run_unary(context, body); break;
    case MLC_OP_BINARY: mlc_run_binary(context, body); break;
    case MLC_OP_SOFTMAX: mlc_run_softmax(context, body); break;
    case MLC_OP_COPY: mlc_run_copy(context, body); break;
    case MLC_OP_FILL: mlc_run_fill(context, body); break;
    case MLC_OP_QUANTIZED_CONV2D: mlc_run_quantized_conv2d(context, body); break;
    case MLC_OP_QUANTIZE: mlc_run_quantize(context, body); break;
    case MLC_OP_DEQUANTIZE: mlc_run_dequantize(context, body); break;
    case MLC_OP_QUANTIZED_ADD: mlc_run_quantized_add(context, body); break;
    case MLC_OP_QUANTIZED_MAX_POOL2D: mlc_run_quantized_max_pool2d(context, body); break;
    default: break; /* mlc_check_record let no other opcode through */
  }
}
