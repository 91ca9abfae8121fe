/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By relaxed dot products of bytes. What they give is up to the engine where an element of the second operand has its top bit
 * set, or where two neighboring products leave 16 bits. Here neither can be: that operand is a row's bytes without their top
 * bits, or those bits alone, so that it is at most 127, the same with and without a sign; two products are between
 * 2 * -128 * 127 and 2 * 127 * 127. All that follows is defined: sums modulo 2^32.
 */
#include <wasm_simd128.h>

#include "../core/platform.h"

#define I8_GEMM_NAME i8_gemm_dot_1x16__wasm_relaxed
#define I8_GEMM_FINISH i8_gemm_finish__wasm_relaxed
#define LANES 4
/* 8 sums, 2 of a row, 4 of weights: engines have 15 registers. */
#define TILE_ROWS 1
#define TILE_PANELS 1
#define ROW_PANELS 1
#define PANEL_SUMS 4
typedef struct {
  v128_t low, top; /* of the lower seven bits, and of the top one */
} dot_sum, dot_input;
typedef v128_t dot_weights;
MLC_INLINE dot_sum dot_zero(void) { return (dot_sum){wasm_i32x4_splat(0), wasm_i32x4_splat(0)}; }
MLC_INLINE void dot_load(const uint8_t *panel, dot_weights *weights) {
  for (uint32_t i = 0; i < 4; i++) weights[i] = wasm_v128_load(panel + 16 * i);
}
MLC_INLINE dot_input dot_spread(uint32_t four) {
  const v128_t all = wasm_u32x4_splat(four);
  return (dot_input){wasm_v128_and(all, wasm_i8x16_splat(127)), wasm_u8x16_shr(all, 7)};
}
MLC_INLINE dot_sum dot_add(dot_sum sum, dot_input input, dot_weights weights) {
  return (dot_sum){wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights, input.low, sum.low),
                   wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights, input.top, sum.top)};
}
MLC_INLINE void dot_store(const dot_sum *sum, int32_t *sums) {
  for (uint32_t i = 0; i < 4; i++) {
    wasm_v128_store(sums + 4 * i, wasm_i32x4_add(sum[i].low, wasm_i32x4_shl(sum[i].top, 7)));
  }
}
#include "i8_gemm_tile.inc"

/*
 * Which of the two is faster shows in a product that is up to the engine: x86 without VNNI goes over 16 bits, where it
 * saturates, and then takes more instructions for a dot product of bytes than for two of 16 bits. Both give the same bytes.
 */
void i8_gemm_1x16__wasm_relaxed(const i8_gemm_args *args) {
  const v128_t dots = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_i8x16_splat(-128), wasm_i8x16_splat(-1), wasm_i32x4_splat(0));
  if (wasm_i32x4_extract_lane(dots, 0) == 2 * INT16_MIN) i8_gemm_wide_1x16__wasm_relaxed(args);
  else i8_gemm_dot_1x16__wasm_relaxed(args);
}
