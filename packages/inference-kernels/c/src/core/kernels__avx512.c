/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel set "avx512", with the loops that the compiler vectorizes for it. */
#include "kernel_set.h"

#include "../elementwise/elementwise.inc"
#include "../f32_pool/f32_pool_row.inc"
#include "../softmax/softmax.inc"

const mlc_kernel_set mlc_kernels_avx512 = {
    .isa = "avx512",
    .gemm = f32_gemm_12x32__avx512,
    .depthwise_row = f32_depthwise_row__avx512,
    .pool_row = pool_row,
    .unary = unary,
    .binary = binary,
    .activate = activate,
    .softmax = softmax,
};
