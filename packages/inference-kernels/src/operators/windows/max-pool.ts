// SPDX-License-Identifier: Apache-2.0
import { flag, int } from '../attributes.ts'
import { mismatch, unsupported } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { requireDtype, required, result, showDims } from '../support.ts'
import {
  spatialDims,
  type ThreeAxes,
  tapRanges,
  threeAxes,
  type WindowAttributes,
  windowAttributes,
  windowAxes,
} from './axes.ts'
import { imageCount, windowCount } from './patches.ts'

/** Windows of a pool over the spatial dims of [N, C, ...]. */
export function poolAxes(
  dims: readonly number[],
  attributes: WindowAttributes & { readonly ceil_mode: boolean },
) {
  const spatial = spatialDims(dims)
  const { kernel_shape, ceil_mode } = attributes
  if (kernel_shape.length !== spatial.length)
    mismatch(`kernel_shape is ${showDims(kernel_shape)} for ${spatial.length} spatial dimensions`)
  const axes = windowAxes(spatial, kernel_shape, attributes, ceil_mode)
  return { axes: threeAxes(axes), dims: [...dims.slice(0, 2), ...axes.map(({ count }) => count)] }
}

/**
 * The largest element of each window; NaN where there is one. The second result is where it lies in the whole tensor, by rows
 * or, with `storage_order` 1, counted by columns within its channel. A window wholly on padding gives the least number, and -1.
 */
export const maxPool = defineOperator({
  name: 'MaxPool',
  inputCount: [1, 1],
  outputCount: [1, 2],
  attributes: { ...windowAttributes, ceil_mode: flag(false), storage_order: int(0) },
  infer({ inputs, attributes }) {
    const { dtype, dims } = required(inputs, 0)
    requireDtype(dtype, ['float32', 'int8', 'uint8'])
    const order = attributes.storage_order
    if (order !== 0 && order !== 1) unsupported(`storage_order is ${order}`)
    const out = poolAxes(dims, attributes).dims
    return [result(dtype, out), result('int64', out)]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const [out, indices] = outputs as [Operand, Operand?]
    if (out.data.length === 0) return
    const { axes } = poolAxes(x.dims, attributes)
    const least = { int8: -128, uint8: 0 }[x.dtype as string] ?? Number.NEGATIVE_INFINITY
    const places = indices === undefined ? null : new Float64Array(out.data.length)
    poolMaxima(x.data as Float32Array, axes, least, out.data as Float32Array, places)
    if (places === null) return
    const target = indices?.data as BigInt64Array
    const toColumns = attributes.storage_order === 1
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number
      target[i] = BigInt(toColumns && place >= 0 ? byColumns(place, axes) : place)
    }
  },
})

/** @param places gets where each maximum lies in `x` */
function poolMaxima(
  x: Float32Array,
  axes: ThreeAxes,
  least: number,
  out: Float32Array,
  places: Float64Array | null,
): void {
  const [depth, height, width] = axes
  const [inDepth, inHeight, inWidth] = axes.map(tapRanges) as [TapRange, TapRange, TapRange]
  const channelSize = imageCount(axes)
  const planes = out.length / Math.max(windowCount(axes), 1)
  let to = 0
  for (let plane = 0; plane < planes; plane++) {
    for (let od = 0; od < depth.count; od++) {
      const top = od * depth.stride - depth.before
      for (let oh = 0; oh < height.count; oh++) {
        const left = oh * height.stride - height.before
        for (let ow = 0; ow < width.count; ow++, to++) {
          const start = ow * width.stride - width.before
          const first = inWidth.first[ow] as number
          const end = inWidth.end[ow] as number
          let best = least
          let place = -1
          for (let kd = inDepth.first[od] as number; kd < (inDepth.end[od] as number); kd++) {
            const slice = top + kd * depth.dilation
            for (let kh = inHeight.first[oh] as number; kh < (inHeight.end[oh] as number); kh++) {
              const row = slice * height.size + left + kh * height.dilation
              let at = plane * channelSize + row * width.size + start + first * width.dilation
              for (let kw = first; kw < end; kw++, at += width.dilation) {
                const value = x[at] as number
                if (value > best || place < 0 || Number.isNaN(value)) {
                  best = value
                  place = at
                }
              }
            }
          }
          out[to] = best
          if (places !== null) places[to] = place
        }
      }
    }
  }
}

type TapRange = ReturnType<typeof tapRanges>

/** A place in the tensor, counted by columns within its channel. */
function byColumns(place: number, axes: ThreeAxes): number {
  const [depth, height, width] = axes
  const channelSize = imageCount(axes)
  const within = place % channelSize
  const w = within % width.size
  const h = Math.floor(within / width.size) % height.size
  const d = Math.floor(within / (width.size * height.size))
  return place - within + (w * height.size + h) * depth.size + d
}
