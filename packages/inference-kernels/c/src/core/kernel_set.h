/* SPDX-License-Identifier: Apache-2.0 */
/* What one instruction set supplies. The drivers around it are the same for all. */
#ifndef MLC_KERNEL_SET_H
#define MLC_KERNEL_SET_H

#include "../elementwise/elementwise.h"
#include "../f32_depthwise/f32_depthwise.h"
#include "../f32_gemm/f32_gemm.h"
#include "../f32_pool/f32_pool.h"
#include "../f32_winograd/f32_winograd.h"
#include "../i8_elements/i8_elements.h"
#include "../i8_gemm/i8_gemm.h"
#include "../mlc.h"
#include "../softmax/softmax.h"
#include "../weights/weights.h"

struct mlc_kernel_set {
  const char *isa;
  f32_gemm_fn gemm;
  uint32_t gemm_tile_rows;
  /* By type of weights: of more rows than this, it is faster to widen panels once than in each of the tiles. */
  uint32_t gemm_fused_rows[MLC_WEIGHTS_TYPE_COUNT];
  f32_depthwise_row_fn depthwise_row;
  f32_pool_row_fn pool_row;
  const f32_winograd_transforms *winograd;
  mlc_widen_fn widen;
  f32_unary_fn unary;
  f32_binary_fn binary;
  f32_activate_fn activate;
  f32_softmax_fn softmax;
  i8_gemm_fn i8_gemm;
  i8_quantize_fn i8_quantize;
  i8_dequantize_fn i8_dequantize;
  i8_add_fn i8_add;
  i8_raise_fn i8_raise;
};

extern const mlc_kernel_set mlc_kernels_scalar;
#if defined(__x86_64__)
extern const mlc_kernel_set mlc_kernels_avx2;
extern const mlc_kernel_set mlc_kernels_avx512;
extern const mlc_kernel_set mlc_kernels_avx512_vnni;
#elif defined(__aarch64__)
extern const mlc_kernel_set mlc_kernels_neon;
#elif defined(MLC_WASM_RELAXED)
extern const mlc_kernel_set mlc_kernels_wasm_relaxed;
#elif defined(__wasm_simd128__)
extern const mlc_kernel_set mlc_kernels_wasm;
#endif

#endif
