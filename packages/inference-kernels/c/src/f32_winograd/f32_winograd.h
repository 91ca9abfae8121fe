/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f32_winograd: the transforms of a 3x3 convolution with stride 1 in tiles of 4x4 outputs, F(4x4,3x3) of Lavin and Gray,
 * arXiv:1509.09308, on the points 0, +-a, +-b and infinity. 36 products stand for 144.
 * A tile's window of 6x6 inputs becomes 36 values for each input channel, a kernel 36 for each pair of channels; products
 * of matrices, one for each of the 36, add up over the input channels; 36 sums of an output channel become 4x4 outputs.
 * Planes are numbered 6 * row + column of the transformed window.
 * Error: with normal values, up to 512 input channels, at most 400 * 2^-24 of the outputs' root mean square; the plain sum
 * has about a quarter of it. c/tests/winograd_test.c holds this.
 */
#ifndef MLC_F32_WINOGRAD_H
#define MLC_F32_WINOGRAD_H

#include <stddef.h>
#include <stdint.h>

#define F32_WINOGRAD_TILE 4
#define F32_WINOGRAD_WINDOW 6
#define F32_WINOGRAD_PLANES 36
/* Kernels are transformed in three parts of two rows each, so that one part's planes stay in the second-level cache. */
#define F32_WINOGRAD_PARTS 3
#define F32_WINOGRAD_PART_PLANES 12

/* Row of the transformed window that is row `half` (0 or 1) of part `part`: the outermost two, then the pairs +-a, +-b. */
static inline uint32_t f32_winograd_part_row(uint32_t part, uint32_t half) {
  return part == 0 ? half * 5 : part * 2 - 1 + half;
}

/* One tile's window, all channels. */
typedef struct {
  const float *image; /* [height][width][channel_count] */
  uint32_t height, width, channel_count;
  int64_t top, left; /* of the window; what lies outside the image is zero */
  float *to;         /* planes, plane_stride floats apart, of [channel_count] */
  size_t plane_stride;
} f32_winograd_window_args;

/* Some input channels of one panel of 16 output channels. */
typedef struct {
  const uint8_t *weights; /* [9 taps][...][16], taps tap_stride elements apart */
  int32_t weights_type;
  const float *scales; /* [16] of int8 weights */
  size_t tap_stride;
  uint32_t channel_count, part;
  float *to; /* the part's planes, plane_stride floats apart, of [channel_count][16] */
  size_t plane_stride;
} f32_winograd_kernel_args;

/* One tile's outputs, some output channels. */
typedef struct {
  const float *from; /* planes, plane_stride floats apart; readable in whole panels of 16 */
  size_t plane_stride;
  const float *bias;      /* [channel_count] or NULL */
  const float *residual;  /* as output, or NULL */
  float *output;          /* pixels pixel_stride floats apart, rows row_stride */
  size_t pixel_stride, row_stride;
  uint32_t row_count, column_count; /* of the tile inside the image, 1 to 4 */
  uint32_t channel_count;
  float clamp_min, clamp_max; /* -infinity, infinity: none */
} f32_winograd_output_args;

typedef struct {
  void (*window)(const f32_winograd_window_args *args);
  void (*kernel)(const f32_winograd_kernel_args *args);
  void (*output)(const f32_winograd_output_args *args);
} f32_winograd_transforms;

#define MLC_F32_WINOGRAD(name) extern const f32_winograd_transforms name;
#include "f32_winograd.def"
#undef MLC_F32_WINOGRAD

#endif
