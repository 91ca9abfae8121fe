/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_set.h"

const char *mlc_kernel_set_isa(const mlc_kernel_set *kernels) { return kernels->isa; }

#if defined(__x86_64__)
const mlc_kernel_set *const *mlc_kernel_sets(void) {
  static const mlc_kernel_set *const with_vnni[] = {&mlc_kernels_avx512_vnni, &mlc_kernels_avx512, &mlc_kernels_avx2,
                                                    &mlc_kernels_scalar, NULL};
  static const mlc_kernel_set *const with_avx512[] = {&mlc_kernels_avx512, &mlc_kernels_avx2, &mlc_kernels_scalar, NULL};
  static const mlc_kernel_set *const with_avx2[] = {&mlc_kernels_avx2, &mlc_kernels_scalar, NULL};
  static const mlc_kernel_set *const baseline[] = {&mlc_kernels_scalar, NULL};
  __builtin_cpu_init(); /* these ask the operating system's XCR0 too, not cpuid alone */
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c")) {
    return baseline;
  }
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl")) {
    return with_avx2;
  }
  return __builtin_cpu_supports("avx512vnni") ? with_vnni : with_avx512;
}
#elif defined(__aarch64__)
const mlc_kernel_set *const *mlc_kernel_sets(void) {
  static const mlc_kernel_set *const sets[] = {&mlc_kernels_neon, &mlc_kernels_scalar, NULL};
  return sets;
}
#elif defined(MLC_WASM_RELAXED)
const mlc_kernel_set *const *mlc_kernel_sets(void) {
  static const mlc_kernel_set *const sets[] = {&mlc_kernels_wasm_relaxed, NULL};
  return sets;
}
#elif defined(__wasm_simd128__)
const mlc_kernel_set *const *mlc_kernel_sets(void) {
  static const mlc_kernel_set *const sets[] = {&mlc_kernels_wasm, NULL};
  return sets;
}
#else
const mlc_kernel_set *const *mlc_kernel_sets(void) {
  static const mlc_kernel_set *const sets[] = {&mlc_kernels_scalar, NULL};
  return sets;
}
#endif
