/* SPDX-License-Identifier: Apache-2.0 */
#include "f32_gemm_driver.h"

f32_gemm_split f32_gemm_plan_split(const mlc_context *context, uint32_t row_count, uint32_t column_count,
                                   uint32_t inner_count, uint32_t problem_count) {
  const uint32_t panel_count = mlc_ceil_div(column_count, MLC_PANEL_WIDTH);
  f32_gemm_split split = {mlc_ceil_div(row_count, F32_GEMM_BLOCK_ROWS), 0, 1};
  /* Equal blocks, in whole tiles: 196 rows are 72 + 72 + 52, not 96 + 96 + 4. */
  split.rows_per_block = mlc_ceil_div(mlc_ceil_div(row_count, split.row_blocks), 12) * 12;
  split.row_blocks = mlc_ceil_div(row_count, split.rows_per_block);
  uint64_t block_count = (uint64_t)split.row_blocks * problem_count;
  uint64_t wanted = (uint64_t)context->worker_count * 4;
  if (context->worker_count > 1 && block_count < wanted) {
    /* Panels in fours: the widest tile of one row. */
    uint64_t work = (uint64_t)row_count * column_count * inner_count * problem_count;
    uint64_t most = mlc_min_u32(mlc_max_u32(panel_count / 4, 1), 0xffff);
    uint64_t blocks = (wanted + block_count - 1) / block_count;
    if (blocks > work / MLC_PARALLEL_GRAIN) blocks = work / MLC_PARALLEL_GRAIN;
    split.panel_blocks = (uint32_t)(blocks > most ? most : blocks < 1 ? 1 : blocks);
  }
  return split;
}

/* B rows -> panels [inner_count][16] for panels panel..panel+panel_count-1; columns past the end are zero. */
static void pack_panels(const f32_gemm_problem *p, uint32_t panel, uint32_t panel_count, uint32_t inner,
                        uint32_t inner_count, float *to) {
  for (uint32_t i = 0; i < panel_count; i++) {
    const uint32_t column = (panel + i) * MLC_PANEL_WIDTH;
    const uint32_t columns = mlc_min_u32(MLC_PANEL_WIDTH, p->column_count - column);
    const float *from = p->b + (size_t)inner * p->b_row_stride + column;
    for (uint32_t k = 0; k < inner_count; k++, from += p->b_row_stride, to += MLC_PANEL_WIDTH) {
      if (columns == MLC_PANEL_WIDTH) {
        for (uint32_t n = 0; n < MLC_PANEL_WIDTH; n++) to[n] = from[n];
      } else {
        for (uint32_t n = 0; n < MLC_PANEL_WIDTH; n++) to[n] = n < columns ? from[n] : 0.0f;
      }
    }
  }
}

/* The last, partial panel: computed in `edge`, whole, since neither bias nor output has room for 16 columns. */
static void run_edge(const mlc_context *context, const f32_gemm_problem *p, f32_gemm_args args, uint32_t row,
                     uint32_t column, int first, int last, float *edge) {
  const uint32_t columns = p->column_count - column;
  if (first) {
    mlc_zero_floats(edge, (size_t)args.row_count * MLC_PANEL_WIDTH);
    for (uint32_t m = 0; m < args.row_count; m++) {
      for (uint32_t n = 0; n < columns; n++) {
        float value = p->bias == NULL ? 0.0f : p->bias[column + n];
        if (p->residual != NULL) value += p->residual[(size_t)(row + m) * p->c_stride + column + n];
        edge[m * MLC_PANEL_WIDTH + n] = value;
      }
    }
  }
  args.panel_count = 1;
  args.c = edge;
  args.c_stride = MLC_PANEL_WIDTH;
  args.init = edge;
  args.init_stride = MLC_PANEL_WIDTH;
  args.residual = NULL;
  context->kernels->gemm(&args);
  if (!last) return;
  for (uint32_t m = 0; m < args.row_count; m++) {
    float *to = p->c + (size_t)(row + m) * p->c_stride + column;
    for (uint32_t n = 0; n < columns; n++) to[n] = edge[m * MLC_PANEL_WIDTH + n];
  }
}

/* Rows row..row+row_count-1 of panels panel_start..panel_end-1, cut along K. */
static void run_rows(const mlc_context *context, const f32_gemm_problem *p, uint32_t row, uint32_t row_count,
                     uint32_t panel_start, uint32_t panel_end, float *scratch) {
  float *a_scratch = scratch, *b_scratch = scratch + F32_GEMM_A_FLOATS, *edge = b_scratch + F32_GEMM_B_FLOATS;
  const uint32_t whole_panels = p->column_count / MLC_PANEL_WIDTH;
  /* Few rows use each panel but once or so: then it is streamed, and cutting K would only break the stream. */
  uint32_t inner_max = F32_GEMM_BLOCK_INNER;
  if (row_count <= 6 && !p->b_is_rows) inner_max = p->a != NULL ? 0x7fffffff : F32_GEMM_A_FLOATS / row_count;
  const uint32_t inner_blocks = mlc_max_u32(mlc_ceil_div(p->inner_count, inner_max), 1);
  const int clamps = p->activation == MLC_ACTIVATION_CLAMP;

  for (uint32_t i = 0; i < inner_blocks; i++) {
    const uint32_t inner = mlc_task_start(p->inner_count, inner_blocks, i);
    const uint32_t inner_count = mlc_task_start(p->inner_count, inner_blocks, i + 1) - inner;
    const int first = i == 0, last = i == inner_blocks - 1;
    f32_gemm_args args = {.row_count = row_count, .inner_count = inner_count, .c_stride = p->c_stride};
    args.clamp_min = last && clamps ? p->activation_alpha : -MLC_INFINITY;
    args.clamp_max = last && clamps ? p->activation_beta : MLC_INFINITY;
    if (p->a != NULL) {
      args.a = p->a + (size_t)row * p->a_stride + inner;
      args.a_stride = p->a_stride;
    } else {
      p->gather(p, row, row_count, inner, inner_count, a_scratch);
      args.a = a_scratch;
      args.a_stride = inner_count;
    }
    for (uint32_t panel = panel_start; panel < panel_end;) {
      uint32_t panel_count = panel_end - panel;
      if (p->b_is_rows) {
        panel_count = mlc_min_u32(panel_count, F32_GEMM_PACK_PANELS);
        pack_panels(p, panel, panel_count, inner, inner_count, b_scratch);
        args.b = b_scratch;
        args.b_panel_stride = (size_t)inner_count * MLC_PANEL_WIDTH;
      } else {
        args.b_panel_stride = (size_t)p->inner_count * MLC_PANEL_WIDTH;
        args.b = p->b + panel * args.b_panel_stride + (size_t)inner * MLC_PANEL_WIDTH;
      }
      const uint32_t column = panel * MLC_PANEL_WIDTH;
      args.panel_count = panel < whole_panels ? mlc_min_u32(panel_count, whole_panels - panel) : 0;
      if (args.panel_count > 0) {
        args.c = p->c + (size_t)row * p->c_stride + column;
        args.init = !first ? args.c : p->bias == NULL ? NULL : p->bias + column;
        args.init_stride = first ? 0 : p->c_stride;
        args.residual = first && p->residual != NULL ? p->residual + (size_t)row * p->c_stride + column : NULL;
        args.residual_stride = p->c_stride;
        context->kernels->gemm(&args);
      }
      if (args.panel_count < panel_count) {
        args.b += args.panel_count * args.b_panel_stride;
        run_edge(context, p, args, row, whole_panels * MLC_PANEL_WIDTH, first, last, edge);
      }
      panel += panel_count;
    }
  }
  if (p->activation == MLC_ACTIVATION_NONE || clamps) return;
  const uint32_t column = panel_start * MLC_PANEL_WIDTH;
  const uint32_t column_end = mlc_min_u32(panel_end * MLC_PANEL_WIDTH, p->column_count);
  for (uint32_t m = 0; m < row_count; m++) {
    float *values = p->c + (size_t)(row + m) * p->c_stride + column;
    context->kernels->activate(p->activation, p->activation_alpha, p->activation_beta, values, column_end - column);
  }
}

void f32_gemm_run_block(const mlc_context *context, const f32_gemm_problem *problem, const f32_gemm_split *split,
                        uint32_t block, uint32_t worker) {
  const uint32_t panel_count = mlc_ceil_div(problem->column_count, MLC_PANEL_WIDTH);
  const uint32_t row = (block % split->row_blocks) * split->rows_per_block;
  const uint32_t panel_block = block / split->row_blocks;
  /* Rounded down to fours, so that the widest tile of one row meets no seam. */
  uint32_t start = mlc_task_start(panel_count, split->panel_blocks, panel_block);
  uint32_t end = mlc_task_start(panel_count, split->panel_blocks, panel_block + 1);
  if (split->panel_blocks > 1) {
    start -= start % 4;
    if (panel_block + 1 < split->panel_blocks) end -= end % 4;
  }
  if (start == end) return;
  run_rows(context, problem, row, mlc_min_u32(split->rows_per_block, problem->row_count - row), start, end,
           mlc_scratch(context, worker));
}
