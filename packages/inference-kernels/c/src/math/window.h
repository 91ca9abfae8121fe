/* SPDX-License-Identifier: Apache-2.0 */
/* Which taps of a window fall inside the image, by division: the cost does not grow with a hostile kernel size. */
#ifndef MLC_WINDOW_H
#define MLC_WINDOW_H

#include "../core/platform.h"

typedef struct {
  uint32_t start, end; /* taps start..end-1; empty where start == end */
} mlc_window;

/* Taps k of `taps` for which 0 <= origin + k * dilation < size. */
MLC_INLINE mlc_window mlc_window_inside(int64_t origin, int64_t dilation, int64_t taps, int64_t size) {
  int64_t start = origin >= 0 ? 0 : (-origin + dilation - 1) / dilation;
  int64_t end = origin >= size ? 0 : (size - origin + dilation - 1) / dilation;
  end = mlc_min_i64(end, taps);
  start = mlc_min_i64(start, end);
  return (mlc_window){(uint32_t)start, (uint32_t)end};
}

#endif
