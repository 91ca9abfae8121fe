/* SPDX-License-Identifier: Apache-2.0 */
/* Dense and matmul. */
#include "check.h"

int32_t mlc_check_dense(const mlc_dense_record *r, uint64_t memory) {
  MLC_REQUIRE(r->row_count >= 1, mlc_dense_record, row_count);
  MLC_REQUIRE(r->inner_count >= 1, mlc_dense_record, inner_count);
  MLC_REQUIRE(r->column_count >= 1, mlc_dense_record, column_count);
  MLC_REQUIRE((r->flags & ~(MLC_FLAG_HAS_BIAS | MLC_FLAG_HAS_RESIDUAL)) == 0, mlc_dense_record, flags);
  MLC_REQUIRE(r->activation >= 0 && r->activation < MLC_ACTIVATION_COUNT, mlc_dense_record, activation);
  MLC_REQUIRE(r->output_gap >= 0, mlc_dense_record, output_gap);
  MLC_REQUIRE(r->weights_type >= 0 && r->weights_type < MLC_WEIGHTS_TYPE_COUNT, mlc_dense_record, weights_type);
  const mlc_extent input = mlc_extent_of(r->input, mlc_times((uint64_t)r->row_count, r->inner_count), 4);
  const mlc_extent weights =
      mlc_extent_of(r->weights, mlc_times(mlc_packed_columns(r->column_count), r->inner_count),
                    (int32_t)mlc_weight_size_bytes(r->weights_type));
  const mlc_extent output = mlc_rows_extent(r->output, (uint64_t)r->row_count, r->column_count, r->output_gap);
  MLC_REQUIRE(mlc_fits(input, memory, 4), mlc_dense_record, input);
  MLC_REQUIRE(mlc_fits(weights, memory, MLC_ALIGNMENT_BYTES), mlc_dense_record, weights);
  MLC_REQUIRE(mlc_fits(output, memory, 4), mlc_dense_record, output);
  MLC_REQUIRE(mlc_apart(input, output) && mlc_apart(weights, output), mlc_dense_record, output);
  MLC_REQUIRE(mlc_scales_fit(r->weights_type, r->weight_scales, r->column_count, output, memory), mlc_dense_record,
              weight_scales);
  if (r->flags & MLC_FLAG_HAS_BIAS) {
    const mlc_extent bias = mlc_extent_of(r->bias, (uint64_t)r->column_count, 4);
    MLC_REQUIRE(mlc_fits(bias, memory, 4) && mlc_apart(bias, output), mlc_dense_record, bias);
  }
  if (r->flags & MLC_FLAG_HAS_RESIDUAL) {
    const mlc_extent residual = {r->residual, r->residual + (output.end - output.start)};
    MLC_REQUIRE(mlc_fits(residual, memory, 4), mlc_dense_record, residual);
    MLC_REQUIRE(mlc_apart_or_same(residual, output), mlc_dense_record, residual);
  }
  return MLC_RECORD_OK;
}

int32_t mlc_check_matmul(const mlc_matmul_record *r, uint64_t memory) {
  MLC_REQUIRE(r->batch_count >= 1, mlc_matmul_record, batch_count);
  MLC_REQUIRE(r->row_count >= 1, mlc_matmul_record, row_count);
  MLC_REQUIRE(r->inner_count >= 1, mlc_matmul_record, inner_count);
  MLC_REQUIRE(r->column_count >= 1, mlc_matmul_record, column_count);
  MLC_REQUIRE(r->a_batch_stride >= 0, mlc_matmul_record, a_batch_stride);
  MLC_REQUIRE(r->b_batch_stride >= 0, mlc_matmul_record, b_batch_stride);
  const uint64_t batches_after = (uint64_t)r->batch_count - 1;
  const uint64_t a_count =
      mlc_plus(mlc_times(batches_after, r->a_batch_stride), mlc_times((uint64_t)r->row_count, r->inner_count));
  const uint64_t b_count =
      mlc_plus(mlc_times(batches_after, r->b_batch_stride), mlc_times((uint64_t)r->inner_count, r->column_count));
  const uint64_t output_count =
      mlc_times(mlc_times((uint64_t)r->batch_count, r->row_count), r->column_count);
  const mlc_extent a = mlc_extent_of(r->a, a_count, 4), b = mlc_extent_of(r->b, b_count, 4);
  const mlc_extent output = mlc_extent_of(r->output, output_count, 4);
  MLC_REQUIRE(mlc_fits(a, memory, 4), mlc_matmul_record, a);
  MLC_REQUIRE(mlc_fits(b, memory, 4), mlc_matmul_record, b);
  MLC_REQUIRE(mlc_fits(output, memory, 4), mlc_matmul_record, output);
  MLC_REQUIRE(mlc_apart(a, output) && mlc_apart(b, output), mlc_matmul_record, output);
  return MLC_RECORD_OK;
}
