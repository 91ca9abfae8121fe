/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of all records share. Sizes are 64-bit and saturate, so no product of hostile counts can wrap. */
#ifndef MLC_CHECK_H
#define MLC_CHECK_H

#include "../mlc.h"
#include "../weights/weights.h"
#include "platform.h"

/* Index of a field in 32-bit words: what a check returns when the field is at fault. */
#define MLC_WORD(type, field) ((int32_t)(offsetof(type, field) / sizeof(int32_t)))

#define MLC_REQUIRE(condition, type, field) \
  do {                                      \
    if (!(condition)) return MLC_WORD(type, field); \
  } while (0)

/* More than any memory holds: addresses have 32 bits. */
#define MLC_TOO_MANY (UINT64_C(1) << 33)

typedef struct {
  uint64_t start, end; /* bytes */
} mlc_extent;

/* `count` is at most MLC_TOO_MANY, so the product fits in 64 bits before it is cut. */
MLC_INLINE uint64_t mlc_times(uint64_t count, int32_t factor) {
  const uint64_t product = count * (uint64_t)(uint32_t)factor;
  return factor < 0 || product > MLC_TOO_MANY ? MLC_TOO_MANY : product;
}

MLC_INLINE uint64_t mlc_plus(uint64_t a, uint64_t b) { return a + b > MLC_TOO_MANY ? MLC_TOO_MANY : a + b; }

MLC_INLINE mlc_extent mlc_extent_of(uint32_t address, uint64_t element_count, int32_t element_size_bytes) {
  return (mlc_extent){address, mlc_plus(address, mlc_times(element_count, element_size_bytes))};
}

/* Rows of so many columns, a gap between each and the next. */
MLC_INLINE mlc_extent mlc_rows_extent(uint32_t address, uint64_t row_count, int32_t column_count, int32_t gap) {
  const uint64_t rows_after = row_count == 0 ? 0 : row_count - 1;
  return mlc_extent_of(address, mlc_plus(mlc_times(row_count, column_count), mlc_times(rows_after, gap)), 4);
}

MLC_INLINE int mlc_fits(mlc_extent extent, uint64_t memory_size_bytes, uint32_t alignment_bytes) {
  return extent.end <= memory_size_bytes && extent.start % alignment_bytes == 0;
}

MLC_INLINE int mlc_apart(mlc_extent a, mlc_extent b) {
  return a.end <= b.start || b.end <= a.start || a.start == a.end || b.start == b.end;
}

/* In place or apart, nothing between. */
MLC_INLINE int mlc_apart_or_same(mlc_extent a, mlc_extent b) {
  return mlc_apart(a, b) || (a.start == b.start && a.end == b.end);
}

/* int8 weights have a scale for each column, which nothing else reads. */
MLC_INLINE int mlc_scales_fit(int32_t weights_type, uint32_t address, int32_t column_count, mlc_extent output,
                              uint64_t memory_size_bytes) {
  const mlc_extent scales = mlc_extent_of(address, (uint64_t)(uint32_t)column_count, 4);
  return weights_type != MLC_WEIGHTS_TYPE_I8 || (mlc_fits(scales, memory_size_bytes, 4) && mlc_apart(scales, output));
}

MLC_INLINE uint64_t mlc_packed_columns(int32_t columns) {
  return ((uint64_t)(uint32_t)columns + MLC_PANEL_WIDTH - 1) / MLC_PANEL_WIDTH * MLC_PANEL_WIDTH;
}

int32_t mlc_check_conv2d(const mlc_conv2d_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_depthwise_conv2d(const mlc_depthwise_conv2d_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_pool2d(const mlc_pool2d_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_dense(const mlc_dense_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_matmul(const mlc_matmul_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_unary(const mlc_unary_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_binary(const mlc_binary_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_softmax(const mlc_softmax_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_copy(const mlc_copy_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_fill(const mlc_fill_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_quantized_conv2d(const mlc_quantized_conv2d_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_quantize(const mlc_quantize_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_dequantize(const mlc_dequantize_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_quantized_add(const mlc_quantized_add_record *record, uint64_t memory_size_bytes);
int32_t mlc_check_quantized_max_pool2d(const mlc_quantized_max_pool2d_record *record, uint64_t memory_size_bytes);

#endif
