/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i8_gemm: c[m][n] = requantized(bias[n] + sum over k of a[m][k] * b[k][n]), a unsigned, b signed bytes, sums modulo 2^32:
 * the same bytes on every instruction set.
 * Rows of a are windows of an image: they stand in lines of line_rows, line_stride apart, a_stride within a line; `a` is where
 * the first line begins, and the first row is number first_row of it. Each is run_lines * run_pieces pieces of piece_bytes,
 * run_stride and piece_stride apart, which b continues. piece_bytes is a multiple of 4.
 *
 * Names: i8_gemm_<rows>x<columns>__<isa>. Any row count from 1. b: panels of 16 columns as abi/ops.json lays down, panel_bytes
 * apart, each 64-byte aligned. column_count may end within the last panel. c overlaps nothing but an equal residual.
 */
#ifndef MLC_I8_GEMM_H
#define MLC_I8_GEMM_H

#include <stddef.h>
#include <stdint.h>

#include "i8_requantize.h"

typedef struct {
  uint32_t row_count, column_count;
  const uint8_t *a;
  size_t a_stride, line_stride, run_stride, piece_stride, piece_bytes;
  uint32_t line_rows, first_row, run_lines, run_pieces;
  const uint8_t *b;
  size_t panel_bytes;
  uint8_t *c;
  const uint8_t *residual; /* as c, or NULL */
  size_t c_stride;
  i8_requantization to;
} i8_gemm_args;

typedef void (*i8_gemm_fn)(const i8_gemm_args *args);

#define MLC_I8_GEMM(name) void name(const i8_gemm_args *args);
#include "i8_gemm.def"
#undef MLC_I8_GEMM

#endif
