// SPDX-License-Identifier: Apache-2.0

/** One resized dimension. */
export interface ResizedAxis {
  /** Elements before and after. */
  readonly size: number
  readonly count: number
  /** Elements after for each before: as it is asked for, which need not be `count / size`. */
  readonly scale: number
  /** The region of interest, in parts of the dimension. */
  readonly start: number
  readonly end: number
}

export const coordinateModes = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  // Of opset 11 alone.
  'tf_half_pixel_for_nn',
  'tf_crop_and_resize',
] as const
export type CoordinateMode = (typeof coordinateModes)[number]

const { fround } = Math

/** Elements after as the scale gives them: not a whole number where some are cut off. */
function lengthOf({ size, count, scale }: ResizedAxis): number {
  const length = fround(size * scale)
  return Math.abs(length - count) < 1e-3 ? count : length
}

/**
 * Where an element of the result lies on the dimension it comes from. Computed in single precision, as the models' own
 * runtimes do: which of two elements is nearest hangs on the rounding.
 */
export function originalCoordinate(x: number, axis: ResizedAxis, mode: CoordinateMode): number {
  const { size, count, scale, start, end } = axis
  const halfPixel = () => fround(fround(fround(x + 0.5) / scale) - 0.5)
  switch (mode) {
    case 'half_pixel':
      return halfPixel()
    case 'half_pixel_symmetric': {
      const adjustment = fround(count / fround(scale * size))
      const offset = fround((size / 2) * fround(1 - adjustment))
      return fround(offset + halfPixel())
    }
    case 'pytorch_half_pixel':
      return count > 1 ? halfPixel() : 0
    case 'align_corners':
      return count === 1 ? 0 : fround(fround(x * (size - 1)) / (lengthOf(axis) - 1))
    case 'asymmetric':
      return fround(x / scale)
    case 'tf_half_pixel_for_nn':
      return fround(fround(x + 0.5) / scale)
    case 'tf_crop_and_resize':
      if (count === 1) return fround(0.5 * fround(fround(start + end) * (size - 1)))
      return fround(
        fround(start * (size - 1)) +
          fround(fround(x * fround(fround(end - start) * (size - 1))) / (count - 1)),
      )
  }
}

export const nearestModes = [
  'round_prefer_floor',
  'round_prefer_ceil',
  'floor',
  'ceil',
  // Before opset 11: the next element where a dimension shrinks, the one before where it grows.
  'simple',
] as const
export type NearestMode = (typeof nearestModes)[number]

export function nearestElement(x: number, { scale }: ResizedAxis, mode: NearestMode): number {
  switch (mode) {
    case 'round_prefer_floor':
      return Math.ceil(x - 0.5)
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5)
    case 'floor':
      return Math.floor(x)
    case 'ceil':
      return Math.ceil(x)
    case 'simple':
      return scale < 1 ? Math.ceil(x) : Math.floor(x)
  }
}
