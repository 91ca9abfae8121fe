// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import type { TensorType } from '../operator.ts'
import { showDims } from '../support.ts'
import { spatialDims, type ThreeAxes, threeAxes, type WindowAttributes, windowAxes } from './axes.ts'
import { type Elements, fillPatches, imageCount, tapCount, windowCount } from './patches.ts'

export interface Convolution {
  readonly batch: number
  readonly groups: number
  /** Channels of one group. */
  readonly inputChannels: number
  readonly outputChannels: number
  readonly axes: ThreeAxes
  /** Dims of the result. */
  readonly dims: readonly number[]
}

/**
 * Sizes of a convolution.
 * @param x dims [N, C, ...]
 * @param weights dims [O, C / group, ...]
 */
export function convolutionOf(
  x: readonly number[],
  weights: readonly number[],
  attributes: WindowAttributes & { readonly group: number },
): Convolution {
  const spatial = spatialDims(x)
  if (weights.length !== x.length)
    mismatch(`weights have shape ${showDims(weights)}, the input ${showDims(x)}`)
  const [batch, channels] = x as [number, number]
  const [filters, inputChannels, ...kernel] = weights as [number, number, ...number[]]
  const { group: groups, kernel_shape: given } = attributes
  if (groups < 1 || filters % groups !== 0 || inputChannels * groups !== channels)
    mismatch(`weights ${showDims(weights)} in ${groups} groups on ${channels} channels`)
  if (given.length > 0 && (given.length !== kernel.length || given.some((it, d) => it !== kernel[d])))
    mismatch(`kernel_shape is ${showDims(given)}, weights have shape ${showDims(weights)}`)
  const axes = windowAxes(spatial, kernel, attributes)
  return {
    batch,
    groups,
    inputChannels,
    outputChannels: filters / groups,
    axes: threeAxes(axes),
    dims: [batch, filters, ...axes.map(({ count }) => count)],
  }
}

/** Refuses a bias that is not one number per filter. */
export function requireBias(bias: TensorType | null, filterCount: number): void {
  if (bias !== null && (bias.dims.length !== 1 || bias.dims[0] !== filterCount))
    mismatch(`bias has shape ${showDims(bias.dims)}, expected [${filterCount}]`)
}

/** What the windows `first` to `first + count` of one group of one image see: a matrix in `data`. */
export interface Block<T extends Elements> {
  readonly image: number
  readonly group: number
  readonly first: number
  readonly count: number
  readonly data: T
  /** Where the matrix begins, and how far its rows are apart. */
  readonly at: number
  readonly row: number
}

/** Elements of a block: few enough to stay in a core's cache. */
const blockElementCount = 65536

/** Calls `visit` for one block of windows after another. */
export function eachBlock<T extends Elements>(
  { batch, groups, inputChannels, axes }: Convolution,
  x: T,
  visit: (block: Block<T>) => void,
): void {
  const windows = windowCount(axes)
  const innerCount = inputChannels * tapCount(axes)
  const groupCount = inputChannels * imageCount(axes)
  // Windows of one tap that cover the image: the image is the matrix.
  const isImage = axes.every(
    ({ kernel, stride, before, after }) => kernel === 1 && stride === 1 && before === 0 && after === 0,
  )
  const widest = Math.min(
    windows,
    Math.max(16, 4 * Math.floor(blockElementCount / 4 / Math.max(innerCount, 1))),
  )
  const patches = (
    x instanceof Int32Array
      ? new Int32Array(isImage ? 0 : innerCount * widest)
      : new Float32Array(isImage ? 0 : innerCount * widest)
  ) as T
  for (let image = 0; image < batch; image++) {
    for (let group = 0; group < groups; group++) {
      const at = (image * groups + group) * groupCount
      if (isImage) {
        visit({ image, group, first: 0, count: windows, data: x, at, row: windows })
        continue
      }
      for (let first = 0; first < windows; first += widest) {
        const count = Math.min(widest, windows - first)
        fillPatches(x, at, inputChannels, axes, first, count, patches)
        visit({ image, group, first, count, data: patches, at: 0, row: count })
      }
    }
  }
}
