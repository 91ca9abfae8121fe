/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLC_CONTEXT_H
#define MLC_CONTEXT_H

#include "../mlc.h"
#include "kernel_set.h"
#include "platform.h"

/* Work per task below which a second thread costs more than it gives, in floating-point operations or so. */
#define MLC_PARALLEL_GRAIN 32768

MLC_INLINE float *mlc_floats(const mlc_context *context, uint32_t address) {
  return (float *)(void *)(context->memory + address);
}

/* The scales of weights from `column` on; NULL where they have none. */
MLC_INLINE const float *mlc_scales(const mlc_context *context, int32_t weights_type, uint32_t address, size_t column) {
  return weights_type == MLC_WEIGHTS_TYPE_I8 ? mlc_floats(context, address) + column : NULL;
}

MLC_INLINE float *mlc_scratch(const mlc_context *context, uint32_t worker) {
  return context->scratch + (size_t)worker * MLC_SCRATCH_FLOAT_COUNT;
}

MLC_INLINE void mlc_parallel_for(const mlc_context *context, uint32_t task_count, mlc_task_fn task, void *argument) {
  if (context->parallel != NULL && task_count > 1) {
    context->parallel(context->pool, task_count, task, argument);
    return;
  }
  for (uint32_t i = 0; i < task_count; i++) task(argument, i, 0);
}

/* How many tasks to cut `unit_count` units into, each worth `unit_work`. */
MLC_INLINE uint32_t mlc_task_count(const mlc_context *context, uint32_t unit_count, uint64_t unit_work) {
  if (context->worker_count == 1 || unit_count == 0) return unit_count == 0 ? 0 : 1;
  uint64_t work = (uint64_t)unit_count * unit_work;
  uint64_t wanted = work / MLC_PARALLEL_GRAIN;
  uint64_t most = (uint64_t)context->worker_count * 4;
  if (wanted > most) wanted = most;
  if (wanted > unit_count) wanted = unit_count;
  return wanted < 1 ? 1 : (uint32_t)wanted;
}

/* First unit of task `task` of `task_count`. */
MLC_INLINE uint32_t mlc_task_start(uint32_t unit_count, uint32_t task_count, uint32_t task) {
  return (uint32_t)((uint64_t)unit_count * task / task_count);
}

void mlc_run_conv2d(const mlc_context *context, const mlc_conv2d_record *record);
void mlc_run_depthwise_conv2d(const mlc_context *context, const mlc_depthwise_conv2d_record *record);
void mlc_run_dense(const mlc_context *context, const mlc_dense_record *record);
void mlc_run_matmul(const mlc_context *context, const mlc_matmul_record *record);
void mlc_run_pool2d(const mlc_context *context, const mlc_pool2d_record *record);
void mlc_run_unary(const mlc_context *context, const mlc_unary_record *record);
void mlc_run_binary(const mlc_context *context, const mlc_binary_record *record);
void mlc_run_softmax(const mlc_context *context, const mlc_softmax_record *record);
void mlc_run_copy(const mlc_context *context, const mlc_copy_record *record);
void mlc_run_fill(const mlc_context *context, const mlc_fill_record *record);
void mlc_run_quantized_conv2d(const mlc_context *context, const mlc_quantized_conv2d_record *record);
void mlc_run_quantize(const mlc_context *context, const mlc_quantize_record *record);
void mlc_run_dequantize(const mlc_context *context, const mlc_dequantize_record *record);
void mlc_run_quantized_add(const mlc_context *context, const mlc_quantized_add_record *record);
void mlc_run_quantized_max_pool2d(const mlc_context *context, const mlc_quantized_max_pool2d_record *record);

#endif
