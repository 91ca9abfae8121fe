/* SPDX-License-Identifier: Apache-2.0 */
/* How products are cut into blocks for workers: whole, and fairly. */
#include "../src/f32_gemm/f32_gemm_driver.h"
#include "test.h"

static uint32_t tile_rows_of(const mlc_context *context) { return context->kernels->gemm_tile_rows; }

/* Each row and each panel lies in one block, no block is empty, and none holds more rows than the scratch. */
static void check_whole(const mlc_context *context, const f32_gemm_split *s, uint32_t rows, uint32_t columns) {
  const uint32_t panels = mlc_ceil_div(columns, MLC_PANEL_WIDTH);
  CHECK(s->row_blocks == mlc_ceil_div(rows, s->rows_per_block), "%u rows in %u blocks of %u", rows, s->row_blocks,
        s->rows_per_block);
  CHECK(s->panel_blocks == mlc_ceil_div(panels, s->panels_per_block), "%u panels in %u blocks of %u", panels,
        s->panel_blocks, s->panels_per_block);
  CHECK(s->rows_per_block <= F32_GEMM_BLOCK_ROWS, "%u rows in a block", s->rows_per_block);
  CHECK(s->rows_per_block % tile_rows_of(context) == 0, "%u rows are no whole tiles", s->rows_per_block);
}

static void test_random_splits(mlc_context *context) {
  for (uint32_t i = 0; i < 2000; i++) {
    context->worker_count = 1 + random_below(64);
    const uint32_t rows = 1 + random_below(i % 2 == 0 ? 60 : 20000), columns = 1 + random_below(3000);
    const uint32_t problems = 1 + random_below(4);
    const f32_gemm_split split = f32_gemm_plan_split(context, rows, columns, 1 + random_below(4000), problems);
    check_whole(context, &split, rows, columns);
    /* No more than four for each worker, but what the scratch asks for. */
    const uint32_t tile_rows = tile_rows_of(context), workers = context->worker_count;
    const uint32_t least = mlc_ceil_div(mlc_ceil_div(rows, tile_rows), F32_GEMM_BLOCK_ROWS / tile_rows);
    const uint32_t blocks = split.row_blocks * split.panel_blocks;
    CHECK(blocks <= mlc_max_u32(4 * workers, least + workers - 1), "%u blocks for %u workers", blocks, workers);
  }
}

/* Layers of real networks on two workers: rows, columns, inner. */
static void test_fair_splits(mlc_context *context) {
  static const uint32_t layers[][3] = {{12544, 32, 27}, {3136, 24, 96},   {3136, 64, 256},  {784, 128, 512},
                                       {196, 64, 384},  {196, 96, 576},   {196, 1024, 256}, {49, 160, 960},
                                       {49, 320, 960},  {49, 1024, 1024}, {1, 1000, 1280}};
  context->worker_count = 2;
  for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
    const uint32_t rows = layers[i][0], columns = layers[i][1];
    const f32_gemm_split split = f32_gemm_plan_split(context, rows, columns, layers[i][2], 1);
    check_whole(context, &split, rows, columns);
    const uint64_t block = (uint64_t)split.rows_per_block * split.panels_per_block;
    const uint64_t busiest = mlc_ceil_div(split.row_blocks * split.panel_blocks, 2) * block;
    const uint64_t all = (uint64_t)mlc_ceil_div(rows, tile_rows_of(context)) * tile_rows_of(context) *
                         mlc_ceil_div(columns, MLC_PANEL_WIDTH);
    CHECK(busiest * 100 <= all * 52, "%u x %u: a worker of two does %llu of %llu on %s", rows, columns,
          (unsigned long long)busiest, (unsigned long long)all, mlc_kernel_set_isa(context->kernels));
  }
}

void test_splits(void) {
  for (const mlc_kernel_set *const *sets = mlc_kernel_sets(); *sets != NULL; sets++) {
    mlc_context *context = make_context(*sets, 64, 1);
    test_random_splits(context);
    test_fair_splits(context);
    free_context(context);
  }
}
