/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel set "avx2", with the loops that the compiler vectorizes for it. */
#include "kernel_set.h"

#include "../elementwise/elementwise.inc"
#define POOL_LANES 8
#include "../f32_pool/f32_pool_row.inc"
#include "../i8_elements/i8_elements.inc"
#include "../softmax/softmax.inc"

const mlc_kernel_set mlc_kernels_avx2 = {
    .isa = "avx2",
    .gemm = f32_gemm_6x16__avx2_fma,
    .gemm_tile_rows = 6,
    .gemm_fused_rows = {UINT32_MAX, UINT32_MAX, 14},
    .depthwise_row = f32_depthwise_row__avx2_fma,
    .pool_row = pool_row,
    .winograd = &f32_winograd__avx2_fma,
    .widen = widen__avx2_fma,
    .unary = unary,
    .binary = binary,
    .activate = activate,
    .softmax = softmax,
    .i8_gemm = i8_gemm_2x16__avx2_fma,
    .i8_quantize = i8_quantize,
    .i8_dequantize = i8_dequantize,
    .i8_add = i8_add,
    .i8_raise = i8_raise,
};
