/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operations, softmax, copy and fill. */
#include "check.h"

int32_t mlc_check_unary(const mlc_unary_record *r, uint64_t memory) {
  MLC_REQUIRE(r->count >= 0, mlc_unary_record, count);
  MLC_REQUIRE(r->unary >= 0 && r->unary < MLC_UNARY_COUNT, mlc_unary_record, unary);
  const mlc_extent input = mlc_extent_of(r->input, (uint64_t)r->count, 4);
  const mlc_extent output = mlc_extent_of(r->output, (uint64_t)r->count, 4);
  MLC_REQUIRE(mlc_fits(input, memory, 4), mlc_unary_record, input);
  MLC_REQUIRE(mlc_fits(output, memory, 4), mlc_unary_record, output);
  MLC_REQUIRE(mlc_apart_or_same(input, output), mlc_unary_record, output);
  return MLC_RECORD_OK;
}

/* Floats from the first to the last that an operand's strides reach; 0 where a dimension is 0. */
static uint64_t reach(const int32_t dims[6], const int32_t strides[6]) {
  uint64_t count = 1;
  for (int d = 0; d < 6; d++) {
    if (dims[d] == 0) return 0;
    count = mlc_plus(count, mlc_times((uint64_t)dims[d] - 1, strides[d]));
  }
  return count;
}

/* Whether the operand lies exactly as the dense output does. */
static int is_dense(const int32_t dims[6], const int32_t strides[6]) {
  uint64_t stride = 1;
  for (int d = 5; d >= 0; d--) {
    if (dims[d] != 1 && (uint64_t)strides[d] != stride) return 0;
    stride = mlc_times(stride, dims[d]);
  }
  return 1;
}

int32_t mlc_check_binary(const mlc_binary_record *r, uint64_t memory) {
  MLC_REQUIRE(r->binary >= 0 && r->binary < MLC_BINARY_COUNT, mlc_binary_record, binary);
  uint64_t count = 1;
  for (int d = 0; d < 6; d++) {
    if (r->dims[d] < 0) return MLC_WORD(mlc_binary_record, dims) + d;
    if (r->a_strides[d] < 0) return MLC_WORD(mlc_binary_record, a_strides) + d;
    if (r->b_strides[d] < 0) return MLC_WORD(mlc_binary_record, b_strides) + d;
    count = mlc_times(count, r->dims[d]);
  }
  MLC_REQUIRE(r->activation >= 0 && r->activation < MLC_ACTIVATION_COUNT, mlc_binary_record, activation);
  const mlc_extent a = mlc_extent_of(r->a, reach(r->dims, r->a_strides), 4);
  const mlc_extent b = mlc_extent_of(r->b, reach(r->dims, r->b_strides), 4);
  const mlc_extent output = mlc_extent_of(r->output, count, 4);
  MLC_REQUIRE(mlc_fits(a, memory, 4), mlc_binary_record, a);
  MLC_REQUIRE(mlc_fits(b, memory, 4), mlc_binary_record, b);
  MLC_REQUIRE(mlc_fits(output, memory, 4), mlc_binary_record, output);
  MLC_REQUIRE(mlc_apart(a, output) || (a.start == output.start && is_dense(r->dims, r->a_strides)),
              mlc_binary_record, output);
  MLC_REQUIRE(mlc_apart(b, output) || (b.start == output.start && is_dense(r->dims, r->b_strides)),
              mlc_binary_record, output);
  return MLC_RECORD_OK;
}

int32_t mlc_check_softmax(const mlc_softmax_record *r, uint64_t memory) {
  MLC_REQUIRE(r->outer_count >= 1, mlc_softmax_record, outer_count);
  MLC_REQUIRE(r->axis_count >= 1, mlc_softmax_record, axis_count);
  MLC_REQUIRE(r->inner_count >= 1, mlc_softmax_record, inner_count);
  MLC_REQUIRE(r->softmax >= 0 && r->softmax < MLC_SOFTMAX_COUNT, mlc_softmax_record, softmax);
  const uint64_t count = mlc_times(mlc_times((uint64_t)r->outer_count, r->axis_count), r->inner_count);
  const mlc_extent input = mlc_extent_of(r->input, count, 4), output = mlc_extent_of(r->output, count, 4);
  MLC_REQUIRE(mlc_fits(input, memory, 4), mlc_softmax_record, input);
  MLC_REQUIRE(mlc_fits(output, memory, 4), mlc_softmax_record, output);
  MLC_REQUIRE(mlc_apart_or_same(input, output), mlc_softmax_record, output);
  return MLC_RECORD_OK;
}

/* Bytes that a box of signed strides covers. Sets *fits to 0 where it leaves the memory. */
static mlc_extent box_extent(uint32_t address, const int32_t dims[8], const int32_t strides[8], int32_t element_size,
                             uint64_t memory, int *fits) {
  uint64_t before = 0, after = 0; /* elements in front of the address and behind it */
  for (int d = 0; d < 8; d++) {
    if (dims[d] == 0) return (mlc_extent){address, address};
    const uint64_t steps = (uint64_t)dims[d] - 1;
    if (strides[d] >= 0) {
      after = mlc_plus(after, mlc_times(steps, strides[d]));
    } else {
      /* -2^31 has no positive twin in 32 bits; it reaches out of any memory all the same. */
      before = mlc_plus(before, strides[d] == INT32_MIN ? steps << 31 : mlc_times(steps, -strides[d]));
    }
  }
  const uint64_t front = mlc_times(before, element_size);
  mlc_extent extent = mlc_extent_of(address, mlc_plus(after, 1), element_size);
  *fits = front <= address && extent.end <= memory && address % (uint32_t)element_size == 0;
  extent.start = front <= address ? address - front : 0;
  return extent;
}

int32_t mlc_check_copy(const mlc_copy_record *r, uint64_t memory) {
  const int32_t size = r->element_size_bytes;
  MLC_REQUIRE(size == 1 || size == 2 || size == 4 || size == 8, mlc_copy_record, element_size_bytes);
  uint64_t count = 1;
  for (int d = 0; d < 8; d++) {
    if (r->dims[d] < 0) return MLC_WORD(mlc_copy_record, dims) + d;
    count = mlc_times(count, r->dims[d]);
  }
  int input_fits = r->input <= memory && r->input % (uint32_t)size == 0;
  int output_fits = r->output <= memory && r->output % (uint32_t)size == 0;
  const mlc_extent input = box_extent(r->input, r->dims, r->input_strides, size, memory, &input_fits);
  const mlc_extent output = box_extent(r->output, r->dims, r->output_strides, size, memory, &output_fits);
  MLC_REQUIRE(input_fits, mlc_copy_record, input);
  MLC_REQUIRE(output_fits, mlc_copy_record, output);
  MLC_REQUIRE(mlc_apart(input, output), mlc_copy_record, output);
  /* A box that writes some element twice; without this a record could also keep a core busy for years. */
  MLC_REQUIRE(count <= (output.end - output.start) / (uint64_t)size, mlc_copy_record, output_strides);
  return MLC_RECORD_OK;
}

int32_t mlc_check_fill(const mlc_fill_record *r, uint64_t memory) {
  const int32_t size = r->element_size_bytes;
  MLC_REQUIRE(size == 1 || size == 2 || size == 4 || size == 8, mlc_fill_record, element_size_bytes);
  MLC_REQUIRE(r->count >= 0, mlc_fill_record, count);
  MLC_REQUIRE(mlc_fits(mlc_extent_of(r->output, (uint64_t)r->count, size), memory, (uint32_t)size), mlc_fill_record,
              output);
  return MLC_RECORD_OK;
}
