/* SPDX-License-Identifier: Apache-2.0 */
#include "f32_gemm_driver.h"

/* Products per block below which another thread costs more than it gives: some 2 microseconds' worth. */
#define GEMM_GRAIN 262144

/* Units along one side of a product in each block, and how many of them the busiest worker gets. */
typedef struct {
  uint32_t units_per_block, block_count, busiest;
} side_split;

/*
 * Cuts a side into as many equal blocks as leave the busiest worker the least; of such numbers the largest, so that a
 * worker that is held up leaves more to the others.
 */
static side_split cut_side(uint32_t unit_count, uint32_t least_blocks, uint32_t most_blocks, uint32_t worker_count) {
  side_split best = {0, 0, UINT32_MAX};
  for (uint32_t blocks = least_blocks; blocks <= mlc_max_u32(most_blocks, least_blocks); blocks++) {
    const uint32_t units = mlc_ceil_div(unit_count, blocks), count = mlc_ceil_div(unit_count, units);
    const uint32_t busiest = mlc_ceil_div(count, worker_count) * units;
    if (busiest <= best.busiest) best = (side_split){units, count, busiest};
  }
  return best;
}

/* Whole tiles of rows: of 14, 784 rows are 196 + 196 + 196 + 196, not 252 + 252 + 252 + 28. */
static void cut_rows(f32_gemm_split *split, uint32_t row_count, uint32_t tile_rows, uint32_t wanted,
                     uint32_t worker_count) {
  const uint32_t tiles = mlc_ceil_div(row_count, tile_rows), least = mlc_ceil_div(tiles, F32_GEMM_BLOCK_ROWS / tile_rows);
  /* Where the scratch asks for more blocks than wanted: so many more that each worker may get as many. */
  const uint32_t most = wanted > least ? wanted : wanted > 1 ? least + worker_count - 1 : least;
  const side_split cut = cut_side(tiles, least, mlc_min_u32(most, tiles), worker_count);
  split->rows_per_block = cut.units_per_block * tile_rows;
  split->row_blocks = cut.block_count;
}

/* Whole tiles, the widest of one row or of several; or panels, each a narrower tile, where that is fairer. */
static void cut_panels(f32_gemm_split *split, uint32_t panel_count, uint32_t row_count, uint32_t tile_rows,
                       uint32_t wanted, uint32_t worker_count) {
  const uint32_t tile_panels = row_count == 1 ? 4 : 2, tiles = mlc_ceil_div(panel_count, tile_panels);
  side_split cut = cut_side(tiles, 1, mlc_min_u32(wanted, tiles), worker_count);
  cut.units_per_block *= tile_panels;
  if (row_count >= tile_rows) {
    const side_split fine = cut_side(panel_count, 1, mlc_min_u32(wanted, tiles), worker_count);
    if (fine.busiest < cut.busiest * tile_panels) cut = fine;
  }
  split->panels_per_block = cut.units_per_block;
  split->panel_blocks = cut.block_count;
}

f32_gemm_split f32_gemm_plan_split(const mlc_context *context, uint32_t row_count, uint32_t column_count,
                                   uint32_t inner_count, uint32_t problem_count) {
  const uint32_t panel_count = mlc_ceil_div(column_count, MLC_PANEL_WIDTH), workers = context->worker_count;
  const uint32_t tile_rows = context->kernels->gemm_tile_rows;
  const uint64_t work = (uint64_t)row_count * column_count * inner_count * problem_count;
  uint64_t wanted = 1;
  if (workers > 1) {
    wanted = (uint64_t)workers * 4;
    if (wanted > work / GEMM_GRAIN) wanted = work / GEMM_GRAIN;
    wanted = (wanted + problem_count - 1) / problem_count;
  }
  f32_gemm_split split = {.panel_blocks = 1, .panels_per_block = panel_count, .is_small = work < 2 * GEMM_GRAIN};
  /* Each block reads its rows and its panels: the larger operand is the one to share out, then the other if that is little. */
  if (column_count > row_count) {
    cut_rows(&split, row_count, tile_rows, 1, workers);
    const uint32_t rest = (uint32_t)wanted / split.row_blocks;
    if (rest > 1) cut_panels(&split, panel_count, row_count, tile_rows, rest, workers);
    if (split.panel_blocks < workers && wanted / split.panel_blocks > split.row_blocks) {
      cut_rows(&split, row_count, tile_rows, (uint32_t)wanted / split.panel_blocks, workers);
    }
  } else {
    cut_rows(&split, row_count, tile_rows, (uint32_t)wanted, workers);
    if (split.row_blocks < workers && wanted > split.row_blocks) {
      cut_panels(&split, panel_count, row_count, tile_rows, (uint32_t)wanted / split.row_blocks, workers);
    }
  }
  return split;
}

void f32_gemm_for(const mlc_context *context, const f32_gemm_split *split, uint32_t task_count, mlc_task_fn task,
                  void *argument) {
  if (!split->is_small) {
    mlc_parallel_for(context, task_count, task, argument);
    return;
  }
  for (uint32_t i = 0; i < task_count; i++) task(argument, i, 0);
}

/* B rows -> panels [inner_count][16] for panels panel..panel+panel_count-1; columns past the end are zero. */
static void pack_panels(const f32_gemm_problem *p, uint32_t panel, uint32_t panel_count, uint32_t inner,
                        uint32_t inner_count, float *to) {
  for (uint32_t i = 0; i < panel_count; i++) {
    const uint32_t column = (panel + i) * MLC_PANEL_WIDTH;
    const uint32_t columns = mlc_min_u32(MLC_PANEL_WIDTH, p->column_count - column);
    const float *from = (const float *)p->b + (size_t)inner * p->b_row_stride + column;
    for (uint32_t k = 0; k < inner_count; k++, from += p->b_row_stride, to += MLC_PANEL_WIDTH) {
      if (columns == MLC_PANEL_WIDTH) {
        for (uint32_t n = 0; n < MLC_PANEL_WIDTH; n++) to[n] = from[n];
      } else {
        for (uint32_t n = 0; n < MLC_PANEL_WIDTH; n++) to[n] = n < columns ? from[n] : 0.0f;
      }
    }
  }
}

/* Panels of smaller weights as panels of floats, [inner_count][16]. */
static void widen_panels(const mlc_context *context, const f32_gemm_problem *p, uint32_t panel, uint32_t panel_count,
                         uint32_t inner, uint32_t inner_count, float *to) {
  float room[MLC_PANEL_WIDTH];
  for (uint32_t i = 0; i < panel_count; i++) {
    const size_t at = ((size_t)(panel + i) * p->inner_count + inner) * MLC_PANEL_WIDTH;
    const float *scales = mlc_panel_scales(p->b_scales, (panel + i) * MLC_PANEL_WIDTH, p->column_count, room);
    context->kernels->widen(p->b_type, (const uint8_t *)p->b + at * mlc_weight_size_bytes(p->b_type), scales, inner_count,
                            to + (size_t)i * inner_count * MLC_PANEL_WIDTH);
  }
}

/* The last, partial panel: computed in `edge`, whole, since neither bias nor output has room for 16 columns. */
static void run_edge(const mlc_context *context, const f32_gemm_problem *p, f32_gemm_args args, uint32_t row,
                     uint32_t column, int first, int last, float *edge) {
  const uint32_t columns = p->column_count - column;
  float bias[MLC_PANEL_WIDTH], scales[MLC_PANEL_WIDTH];
  args.b_scales = mlc_panel_scales(p->b_scales, column, p->column_count, scales);
  for (uint32_t n = 0; n < MLC_PANEL_WIDTH; n++) bias[n] = n < columns && p->bias != NULL ? p->bias[column + n] : 0.0f;
  args.init = first ? bias : edge;
  args.init_stride = first ? 0 : MLC_PANEL_WIDTH;
  if (first && p->residual != NULL) {
    for (uint32_t m = 0; m < args.row_count; m++) {
      const float *from = p->residual + (size_t)(row + m) * p->c_stride + column;
      float *to = edge + m * MLC_PANEL_WIDTH;
      for (uint32_t n = 0; n < MLC_PANEL_WIDTH; n++) to[n] = n < columns ? bias[n] + from[n] : 0.0f;
    }
    args.init = edge;
    args.init_stride = MLC_PANEL_WIDTH;
  }
  args.panel_count = 1;
  args.spare_columns = MLC_PANEL_WIDTH - columns;
  args.c = edge;
  args.c_stride = MLC_PANEL_WIDTH;
  args.residual = NULL;
  context->kernels->gemm(&args);
  if (!last) return;
  for (uint32_t m = 0; m < args.row_count; m++) {
    mlc_copy_floats(p->c + (size_t)(row + m) * p->c_stride + column, edge + m * MLC_PANEL_WIDTH, columns);
  }
}

/* One part of K: whole runs, or a piece of one. */
typedef struct {
  uint32_t inner, inner_count, more_runs;
  size_t a_offset;
} k_part;

/* How K is cut into parts that are worked through one after another. */
typedef struct {
  uint32_t run_count, run_floats, pieces_per_run, part_count;
} k_plan;

static k_plan plan_k(const f32_gemm_problem *p, uint32_t inner_max) {
  k_plan plan = {.run_count = mlc_max_u32(p->run_count, 1)};
  plan.run_floats = p->inner_count / plan.run_count;
  plan.pieces_per_run = mlc_max_u32(mlc_ceil_div(plan.run_floats, inner_max), 1);
  const uint32_t runs_per_part = mlc_max_u32(inner_max / mlc_max_u32(plan.run_floats, 1), 1);
  plan.part_count = plan.pieces_per_run > 1 ? plan.run_count * plan.pieces_per_run
                                            : mlc_ceil_div(plan.run_count, runs_per_part);
  return plan;
}

static k_part part_of(const f32_gemm_problem *p, const k_plan *plan, uint32_t part) {
  if (plan->pieces_per_run == 1) {
    const uint32_t run = mlc_task_start(plan->run_count, plan->part_count, part);
    const uint32_t end = mlc_task_start(plan->run_count, plan->part_count, part + 1);
    return (k_part){run * plan->run_floats, plan->run_floats, end - run - 1, run * p->a_run_stride};
  }
  const uint32_t run = part / plan->pieces_per_run, piece = part % plan->pieces_per_run;
  const uint32_t start = mlc_task_start(plan->run_floats, plan->pieces_per_run, piece);
  const uint32_t end = mlc_task_start(plan->run_floats, plan->pieces_per_run, piece + 1);
  return (k_part){run * plan->run_floats + start, end - start, 0, run * p->a_run_stride + start};
}

/* Rows row..row+row_count-1 of panels panel_start..panel_end-1, cut along K. */
static void run_rows(const mlc_context *context, const f32_gemm_problem *p, uint32_t row, uint32_t row_count,
                     uint32_t panel_start, uint32_t panel_end, float *scratch) {
  float *a_scratch = scratch, *b_scratch = scratch + F32_GEMM_A_FLOATS, *edge = b_scratch + F32_GEMM_B_FLOATS;
  const uint32_t whole_panels = p->column_count / MLC_PANEL_WIDTH;
  /* Few rows use each panel but once or so: then it is streamed, and cutting K would only break the stream. */
  uint32_t inner_max = F32_GEMM_BLOCK_INNER;
  const int widens = row_count > context->kernels->gemm_fused_rows[p->b_type];
  if (row_count <= 6 && !p->b_is_rows && !widens) inner_max = p->a != NULL ? 0x7fffffff : F32_GEMM_A_FLOATS / row_count;
  const k_plan plan = plan_k(p, inner_max);
  const int clamps = p->activation == MLC_ACTIVATION_CLAMP;
  const size_t size = mlc_weight_size_bytes(p->b_type);

  for (uint32_t i = 0; i < plan.part_count; i++) {
    const k_part part = part_of(p, &plan, i);
    const uint32_t inner = part.inner, inner_count = part.inner_count;
    const int first = i == 0, last = i == plan.part_count - 1;
    f32_gemm_args args = {.row_count = row_count,
                          .inner_count = inner_count,
                          .more_runs = part.more_runs,
                          .a_run_stride = p->a_run_stride,
                          .c_stride = p->c_stride};
    args.clamp_min = last && clamps ? p->activation_alpha : -MLC_INFINITY;
    args.clamp_max = last && clamps ? p->activation_beta : MLC_INFINITY;
    if (p->a != NULL) {
      args.a = p->a + (p->a_line_rows == 0 ? (size_t)row * p->a_stride : 0) + part.a_offset;
      args.a_stride = p->a_stride;
      args.a_line_rows = p->a_line_rows;
      args.a_line_stride = p->a_line_stride;
      args.first_row = p->a_line_rows == 0 ? 0 : row;
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
      } else if (widens) {
        const uint32_t part_count = inner_count * (part.more_runs + 1);
        panel_count = mlc_min_u32(panel_count, F32_GEMM_PACK_PANELS);
        widen_panels(context, p, panel, panel_count, inner, part_count, b_scratch);
        args.b = b_scratch;
        args.b_panel_stride = (size_t)part_count * MLC_PANEL_WIDTH;
      } else {
        args.b_panel_stride = (size_t)p->inner_count * MLC_PANEL_WIDTH;
        args.b = (const uint8_t *)p->b + (panel * args.b_panel_stride + (size_t)inner * MLC_PANEL_WIDTH) * size;
        args.b_type = p->b_type;
      }
      const uint32_t column = panel * MLC_PANEL_WIDTH;
      args.panel_count = panel < whole_panels ? mlc_min_u32(panel_count, whole_panels - panel) : 0;
      if (args.panel_count > 0) {
        args.c = p->c + (size_t)row * p->c_stride + column;
        args.init = !first ? args.c : p->bias == NULL ? NULL : p->bias + column;
        args.init_stride = first ? 0 : p->c_stride;
        args.residual = first && p->residual != NULL ? p->residual + (size_t)row * p->c_stride + column : NULL;
        args.residual_stride = p->c_stride;
        args.b_scales = p->b_scales == NULL ? NULL : p->b_scales + column;
        context->kernels->gemm(&args);
      }
      if (args.panel_count < panel_count) {
        args.b = (const uint8_t *)args.b + args.panel_count * args.b_panel_stride * (widens ? sizeof(float) : size);
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
  const uint32_t start = panel_block * split->panels_per_block;
  const uint32_t end = mlc_min_u32(start + split->panels_per_block, panel_count);
  run_rows(context, problem, row, mlc_min_u32(split->rows_per_block, problem->row_count - row), start, end,
           mlc_scratch(context, worker));
}
