/* SPDX-License-Identifier: Apache-2.0 */
/* What a compiler may call without being asked. Plain loops: they must not turn into calls of themselves. */
#include <stddef.h>
#include <stdint.h>

__attribute__((no_builtin("memcpy"))) void *memcpy(void *restrict to, const void *restrict from, size_t size_bytes) {
  for (size_t i = 0; i < size_bytes; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
  return to;
}

__attribute__((no_builtin("memset"))) void *memset(void *to, int value, size_t size_bytes) {
  for (size_t i = 0; i < size_bytes; i++) ((uint8_t *)to)[i] = (uint8_t)value;
  return to;
}
