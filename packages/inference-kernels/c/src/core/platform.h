/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MLC_PLATFORM_H
#define MLC_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#define MLC_INLINE static inline __attribute__((always_inline))
#define MLC_UNUSED __attribute__((unused))
#define MLC_INFINITY __builtin_inff()

/* Within a loop that waits for another thread: leaves the core to what else runs on it. */
#if defined(__x86_64__)
#define MLC_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define MLC_PAUSE() __asm__ volatile("yield")
#else
#define MLC_PAUSE() ((void)0)
#endif

/* In front of a loop whose operands are either the same array or apart: the checker refuses all else. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed" /* powers, for one, stay scalar */
#define MLC_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define MLC_INDEPENDENT _Pragma("GCC ivdep")
#endif

typedef float mlc_float4 __attribute__((vector_size(16), aligned(4), may_alias));

/* Short runs stay inline: a call costs more than it moves. In WebAssembly a long run is a call into the host, so none. */
MLC_INLINE void mlc_copy_floats(float *to, const float *from, size_t count) {
#if !defined(__wasm__)
  if (count > 64) {
    __builtin_memcpy(to, from, count * sizeof(float));
    return;
  }
#endif
  size_t i = 0;
  for (; i + 4 <= count; i += 4) *(mlc_float4 *)(void *)(to + i) = *(const mlc_float4 *)(const void *)(from + i);
  for (; i < count; i++) to[i] = from[i];
}

MLC_INLINE void mlc_zero_floats(float *to, size_t count) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) *(mlc_float4 *)(void *)(to + i) = (mlc_float4){0};
  for (; i < count; i++) to[i] = 0.0f;
}

MLC_INLINE uint32_t mlc_float_bits(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

MLC_INLINE float mlc_float_of_bits(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

MLC_INLINE uint64_t mlc_double_bits(double value) {
  uint64_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

MLC_INLINE double mlc_double_of_bits(uint64_t bits) {
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

MLC_INLINE uint32_t mlc_ceil_div(uint32_t value, uint32_t by) { return value / by + (value % by != 0); }
MLC_INLINE uint32_t mlc_min_u32(uint32_t a, uint32_t b) { return a < b ? a : b; }
MLC_INLINE uint32_t mlc_max_u32(uint32_t a, uint32_t b) { return a > b ? a : b; }
MLC_INLINE int64_t mlc_min_i64(int64_t a, int64_t b) { return a < b ? a : b; }
MLC_INLINE int64_t mlc_max_i64(int64_t a, int64_t b) { return a > b ? a : b; }

#endif
