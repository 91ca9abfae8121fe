/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel sets "avx512" and "avx512vnni", with the loops that the compiler vectorizes for them. */
#include "kernel_set.h"

#include "../elementwise/elementwise.inc"
#define POOL_LANES 16
#include "../f32_pool/f32_pool_row.inc"
#include "../i8_elements/i8_elements.inc"
#include "../softmax/softmax.inc"

/* All but the products of bytes, which have an instruction of their own on most. */
#define SHARED_KERNELS \
    .gemm = f32_gemm_14x32__avx512, \
    .gemm_tile_rows = 14, \
    .gemm_fused_rows = {UINT32_MAX, UINT32_MAX, 28}, \
    .depthwise_row = f32_depthwise_row__avx512, \
    .pool_row = pool_row, \
    .winograd = &f32_winograd__avx512, \
    .widen = widen__avx512, \
    .unary = unary, \
    .binary = binary, \
    .activate = activate, \
    .softmax = softmax, \
    .i8_quantize = i8_quantize, \
    .i8_dequantize = i8_dequantize, \
    .i8_add = i8_add, \
    .i8_raise = i8_raise

const mlc_kernel_set mlc_kernels_avx512 = {.isa = "avx512", .i8_gemm = i8_gemm_6x32__avx512, SHARED_KERNELS};
const mlc_kernel_set mlc_kernels_avx512_vnni = {.isa = "avx512vnni", .i8_gemm = i8_gemm_14x32__avx512_vnni, SHARED_KERNELS};
