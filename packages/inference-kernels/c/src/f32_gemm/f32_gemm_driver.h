/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks one matrix product for the caches, gathers what does not lie in rows, and finishes each block. */
#ifndef MLC_F32_GEMM_DRIVER_H
#define MLC_F32_GEMM_DRIVER_H

#include "../core/context.h"

/*
 * Rows of a block at most: a multiple of every tile's rows. Inner count of a block: the rows then take half of a second-level
 * cache of 1 MiB, and two panels come from there as fast as tiles use them, while sums are carried through memory rarely.
 */
#define F32_GEMM_BLOCK_ROWS 252
#define F32_GEMM_BLOCK_INNER 512
/* Panels of B packed at a time, where B is not packed already; or widened, where it is not floats. */
#define F32_GEMM_PACK_PANELS 12

/* Scratch: rows of A, then panels of B, then the edge of a tile. */
#define F32_GEMM_A_FLOATS (F32_GEMM_BLOCK_ROWS * F32_GEMM_BLOCK_INNER)
#define F32_GEMM_B_FLOATS (F32_GEMM_PACK_PANELS * F32_GEMM_BLOCK_INNER * MLC_PANEL_WIDTH)
#define F32_GEMM_EDGE_FLOATS (F32_GEMM_BLOCK_ROWS * MLC_PANEL_WIDTH)
_Static_assert(F32_GEMM_A_FLOATS + F32_GEMM_B_FLOATS + F32_GEMM_EDGE_FLOATS <= MLC_SCRATCH_FLOAT_COUNT, "scratch");

typedef struct f32_gemm_problem f32_gemm_problem;

/* Writes rows row..row+row_count-1, inner inner..inner+inner_count-1 of A, rows inner_count apart. */
typedef void (*f32_gemm_gather_fn)(const f32_gemm_problem *problem, uint32_t row, uint32_t row_count, uint32_t inner,
                                   uint32_t inner_count, float *to);

struct f32_gemm_problem {
  uint32_t row_count, column_count, inner_count;
  const float *a; /* rows in place, or NULL: gather */
  size_t a_stride;
  uint32_t a_line_rows; /* rows of `a` as windows of an image, as in f32_gemm_args; 0 and 1 where they are plain */
  size_t a_line_stride;
  uint32_t run_count; /* of equal runs that make up inner_count; 0 stands for 1 */
  size_t a_run_stride;
  f32_gemm_gather_fn gather;
  const void *gather_argument;
  uint32_t gather_group;
  const void *b;         /* panels of weights of b_type, or rows of floats b_row_stride apart where b_is_rows */
  int32_t b_type;
  const float *b_scales; /* [column_count] where b_type is int8 */
  size_t b_row_stride;
  int b_is_rows;
  float *c;
  size_t c_stride;
  const float *bias;     /* [column_count] or NULL */
  const float *residual; /* as c, or NULL */
  int32_t activation;
  float activation_alpha, activation_beta;
};

/* How the rows and panels of a problem are shared out. Neither changes a bit of the result. */
typedef struct {
  uint32_t row_blocks, rows_per_block, panel_blocks, panels_per_block;
  int is_small; /* less work than waking a thread takes */
} f32_gemm_split;

f32_gemm_split f32_gemm_plan_split(const mlc_context *context, uint32_t row_count, uint32_t column_count,
                                   uint32_t inner_count, uint32_t problem_count);

/* Runs tasks 0..task_count-1 of a product that is split so: on the caller alone where it is small. */
void f32_gemm_for(const mlc_context *context, const f32_gemm_split *split, uint32_t task_count, mlc_task_fn task,
                  void *argument);

/* Runs block `block` of split.row_blocks * split.panel_blocks with the scratch of `worker`. */
void f32_gemm_run_block(const mlc_context *context, const f32_gemm_problem *problem, const f32_gemm_split *split,
                        uint32_t block, uint32_t worker);

#endif
