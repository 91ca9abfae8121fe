// SPDX-License-Identifier: Apache-2.0
import { ints, oneOf } from '../attributes.ts'
import { mismatch, unsupported } from '../fault.ts'
import { showDims } from '../support.ts'

/** Attributes that all operators with sliding windows have; empty lists stand for the defaults. */
export const windowAttributes = {
  auto_pad: oneOf(['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID']),
  kernel_shape: ints(),
  strides: ints(),
  dilations: ints(),
  pads: ints(),
}

export interface WindowAttributes {
  readonly auto_pad: 'NOTSET' | 'SAME_UPPER' | 'SAME_LOWER' | 'VALID'
  readonly kernel_shape: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly number[]
}

/** How windows lie along one spatial dimension: window `o` has its taps at `o * stride - before + k * dilation`. */
export interface WindowAxis {
  /** Elements of the image. */
  readonly size: number
  /** Taps of a window. */
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  /** Padding. */
  readonly before: number
  readonly after: number
  /** Windows. */
  readonly count: number
}

/** Depth, height and width. */
export type ThreeAxes = readonly [depth: WindowAxis, height: WindowAxis, width: WindowAxis]

/** One tap on one element: a dimension that is not there. */
const noAxis: WindowAxis = { size: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0, count: 1 }

/** Images of one, two or three spatial dimensions as ones of three. */
export function threeAxes(axes: readonly WindowAxis[]): ThreeAxes {
  return [...new Array<WindowAxis>(3 - axes.length).fill(noAxis), ...axes] as unknown as ThreeAxes
}

/** Spatial dims of [N, C, ...]. @throws OperatorFault if they are none or more than three */
export function spatialDims(dims: readonly number[]): readonly number[] {
  const spatial = dims.slice(2)
  if (spatial.length === 0) mismatch(`an image has shape ${showDims(dims)}`)
  if (spatial.length > 3) unsupported(`${spatial.length} spatial dimensions; supported are up to 3`)
  return spatial
}

/** One positive number per spatial dimension. */
export function perAxis(values: readonly number[], rank: number, name: string): readonly number[] {
  if (values.length === 0) return new Array<number>(rank).fill(1)
  if (values.length !== rank || values.some((it) => it < 1))
    mismatch(`${name} is ${showDims(values)}, expected ${rank} positive numbers`)
  return values
}

/** Padding before and after each spatial dimension. */
export function padsOf(
  pads: readonly number[],
  rank: number,
): { readonly before: readonly number[]; readonly after: readonly number[] } {
  const all = pads.length === 0 ? new Array<number>(2 * rank).fill(0) : pads
  if (all.length !== 2 * rank) mismatch(`pads are ${showDims(pads)}, expected ${2 * rank} numbers`)
  if (all.some((it) => it < 0)) unsupported(`pads ${showDims(pads)} are negative`)
  return { before: all.slice(0, rank), after: all.slice(rank) }
}

/** How many elements a window spans. */
export const extentOf = (kernel: number, dilation: number): number => (kernel - 1) * dilation + 1

/**
 * Windows over the spatial dimensions of an image.
 * @param kernel taps along each of them
 * @param isCeiling whether a last window may hang over the end
 */
export function windowAxes(
  spatial: readonly number[],
  kernel: readonly number[],
  attributes: WindowAttributes,
  isCeiling = false,
): readonly WindowAxis[] {
  const rank = spatial.length
  const taps = perAxis(kernel, rank, 'kernel_shape')
  const strides = perAxis(attributes.strides, rank, 'strides')
  const dilations = perAxis(attributes.dilations, rank, 'dilations')
  const pads = padsOf(attributes.auto_pad === 'NOTSET' ? attributes.pads : [], rank)
  return spatial.map((size, d) => {
    const [stride, dilation] = [strides[d] as number, dilations[d] as number]
    const extent = extentOf(taps[d] as number, dilation)
    let before = pads.before[d] as number
    let after = pads.after[d] as number
    if (attributes.auto_pad === 'SAME_UPPER' || attributes.auto_pad === 'SAME_LOWER') {
      const total = Math.max((Math.ceil(size / stride) - 1) * stride + extent - size, 0)
      before = attributes.auto_pad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
      after = total - before
    }
    const room = size + before + after - extent
    if (room < 0) mismatch(`a window of ${extent} in ${size} elements padded by ${before} and ${after}`)
    let count = Math.floor(room / stride) + 1
    if (isCeiling) {
      count = Math.ceil(room / stride) + 1
      // A window that would start behind the image and its padding is left out.
      if ((count - 1) * stride >= size + before) count--
    }
    return { size, kernel: taps[d] as number, stride, dilation, before, after, count }
  })
}

/** The taps of each window that lie on the image: from `first` up to, not including, `end`. */
export interface TapRanges {
  readonly first: Int32Array
  readonly end: Int32Array
}

export function tapRanges({ size, kernel, stride, dilation, before, count }: WindowAxis): TapRanges {
  const first = new Int32Array(count)
  const end = new Int32Array(count)
  for (let o = 0; o < count; o++) {
    const start = o * stride - before
    first[o] = Math.min(kernel, Math.max(0, Math.ceil(-start / dilation)))
    end[o] = Math.max(first[o] as number, Math.min(kernel, Math.ceil((size - start) / dilation)))
  }
  return { first, end }
}
