/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weights in panels of 16 columns, as floats or smaller: float16, or int8 with a scale for each column. Every kernel computes
 * with the floats that they stand for, a float16 as it is and an int8 times its scale, rounded once: the bits of a result are
 * those that the same weights kept as floats give. A float16 that is not finite stands for anything.
 */
#ifndef MLC_WEIGHTS_H
#define MLC_WEIGHTS_H

#include "../abi.generated.h"
#include "../core/platform.h"

MLC_INLINE size_t mlc_weight_size_bytes(int32_t type) {
  return type == MLC_WEIGHTS_TYPE_F32 ? 4 : type == MLC_WEIGHTS_TYPE_F16 ? 2 : 1;
}

/* Rows of 16 weights of one panel become rows of 16 floats. `scales` has 16 floats; only int8 reads them. */
typedef void (*mlc_widen_fn)(int32_t type, const uint8_t *from, const float *scales, size_t row_count, float *to);

#define MLC_WIDEN(name) \
  void name(int32_t type, const uint8_t *from, const float *scales, size_t row_count, float *to);
#include "widen.def"
#undef MLC_WIDEN

/*
 * Scales of the panel whose first column is `column`, of which there are `column_count` in all: where they are, or of a panel
 * that is cut, in `room`. NULL where the type has none.
 */
MLC_INLINE const float *mlc_panel_scales(const float *scales, uint32_t column, uint32_t column_count, float room[16]) {
  if (scales == NULL || column_count - column >= MLC_PANEL_WIDTH) return scales == NULL ? NULL : scales + column;
  for (uint32_t n = 0; n < MLC_PANEL_WIDTH; n++) room[n] = n < column_count - column ? scales[column + n] : 0.0f;
  return room;
}

#endif
