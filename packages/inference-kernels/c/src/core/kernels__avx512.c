/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel set "avx512", with the loops that the compiler vectorizes for it. */
#include "kernel_set.h"

#include "../elementwise/elementwise.inc"
#define POOL_LANES 16
#include "../f32_pool/f32_pool_row.inc"
#include "../softmax/softmax.inc"

const mlc_kernel_set mlc_kernels_avx512 = {
    .isa = "avx512",
    .gemm = f32_gemm_14x32__avx512,
    .gemm_tile_rows = 14,
    .gemm_fused_rows = {UINT32_MAX, UINT32_MAX, 28},
    .depthwise_row = f32_depthwise_row__avx512,
    .pool_row = pool_row,
    .winograd = &f32_winograd__avx512,
    .widen = widen__avx512,
    .unary = unary,
    .binary = binary,
    .activate = activate,
    .softmax = softmax,
};
