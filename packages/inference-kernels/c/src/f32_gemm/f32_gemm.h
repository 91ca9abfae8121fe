/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f32_gemm: c[m][n] = clamp(init[m][n] + residual[m][n] + sum over k of a[m][k] * b[k][n]), k upward, one sum per
 * element. So the bits depend neither on the tile nor on how rows and columns are shared among threads, and a sum
 * over K may be cut into several calls.
 * Rows of a may be windows of an image. They then stand in lines of a_line_rows, a_line_stride apart; `a` is where a line
 * begins, and the first row is number first_row of it. And each may be 1 + more_runs runs of inner_count floats,
 * a_run_stride apart, which b continues: K is all of them.
 *
 * Names: f32_gemm_<rows>x<columns>__<isa>. Any row count from 1; columns in whole panels of 16; any inner count.
 * a, c, init, residual: 4-byte aligned, rows a_stride, c_stride, ... elements apart. b: panels [k][16], b_panel_stride
 * elements apart, the first 64-byte aligned. c overlaps nothing but an equal init or residual.
 * Error: at most (K + 2) * 2^-24 * sum |a*b| (half of it where the instruction set fuses multiply and add).
 */
#ifndef MLC_F32_GEMM_H
#define MLC_F32_GEMM_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t row_count, panel_count, inner_count;
  uint32_t spare_columns; /* at the end of the last panel: they may be left as they are */
  const float *a;
  size_t a_stride;
  uint32_t a_line_rows, first_row; /* 0, 0: the rows are evenly spaced */
  size_t a_line_stride;
  uint32_t more_runs;
  size_t a_run_stride;
  const void *b;
  int32_t b_type; /* of weights */
  const float *b_scales; /* [panel_count][16] where b_type is int8 */
  size_t b_panel_stride;
  float *c;
  size_t c_stride;
  const float *init; /* NULL: zero. A stride of 0 repeats one row: a bias. */
  size_t init_stride;
  const float *residual; /* NULL: none */
  size_t residual_stride;
  float clamp_min, clamp_max; /* -infinity, infinity: none. NaN stays NaN. */
} f32_gemm_args;

typedef void (*f32_gemm_fn)(const f32_gemm_args *args);

#define MLC_F32_GEMM(name) void name(const f32_gemm_args *args);
#include "f32_gemm.def"
#undef MLC_F32_GEMM

#endif
