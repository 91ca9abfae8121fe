/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel set "neon", with the loops that the compiler vectorizes for it. */
#include "kernel_set.h"

#include "../elementwise/elementwise.inc"
#define POOL_LANES 4
#include "../f32_pool/f32_pool_row.inc"
#include "../i8_elements/i8_elements.inc"
#include "../softmax/softmax.inc"

const mlc_kernel_set mlc_kernels_neon = {
    .isa = "neon",
    .gemm = f32_gemm_6x8__neon,
    .gemm_tile_rows = 6,
    .gemm_fused_rows = {UINT32_MAX, UINT32_MAX, 6},
    .depthwise_row = f32_depthwise_row__neon,
    .pool_row = pool_row,
    .winograd = &f32_winograd__neon,
    .widen = widen__neon,
    .unary = unary,
    .binary = binary,
    .activate = activate,
    .softmax = softmax,
    .i8_gemm = i8_gemm_2x16__neon,
    .i8_quantize = i8_quantize,
    .i8_dequantize = i8_dequantize,
    .i8_add = i8_add,
    .i8_raise = i8_raise,
};
