/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel set "wasm-simd128", with the loops that the compiler vectorizes for it. */
#include "kernel_set.h"

#include "../elementwise/elementwise.inc"
#define POOL_LANES 4
#include "../f32_pool/f32_pool_row.inc"
#include "../i8_elements/i8_elements.inc"
#include "../softmax/softmax.inc"

const mlc_kernel_set mlc_kernels_wasm = {
    .isa = "wasm-simd128",
    .gemm = f32_gemm_4x8__wasm_simd128,
    .gemm_tile_rows = 4,
    .gemm_fused_rows = {UINT32_MAX, 4, 4},
    .depthwise_row = f32_depthwise_row__wasm_simd128,
    .pool_row = pool_row,
    .winograd = &f32_winograd__wasm_simd128,
    .widen = widen__wasm_simd128,
    .unary = unary,
    .binary = binary,
    .activate = activate,
    .softmax = softmax,
    .i8_gemm = i8_gemm_1x16__wasm_simd128,
    .i8_quantize = i8_quantize,
    .i8_dequantize = i8_dequantize,
    .i8_add = i8_add,
    .i8_raise = i8_raise,
};
