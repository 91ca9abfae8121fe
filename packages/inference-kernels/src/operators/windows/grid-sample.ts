// SPDX-License-Identifier: Apache-2.0
import { flag, oneOf } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { product, requireDtype, required, result, rowMajorStrides, showDims } from '../support.ts'
import { findTaps, type GridTaps, gridTapCounts } from './grid-taps.ts'

/**
 * Elements of an image [N, C, ...] at the points of a grid [N, ..., r], r being its number of spatial dimensions. A point's
 * coordinates go from the last dimension to the first, -1 and 1 being the borders.
 */
export const gridSample = defineOperator({
  name: 'GridSample',
  inputCount: [2, 2],
  attributes: {
    mode: oneOf(['linear', 'nearest', 'cubic']),
    padding_mode: oneOf(['zeros', 'border', 'reflection']),
    align_corners: flag(false),
  },
  infer({ inputs }) {
    const x = required(inputs, 0)
    const grid = required(inputs, 1)
    for (const { dtype } of [x, grid]) requireDtype(dtype, ['float32'])
    const rank = x.dims.length
    if (rank < 3 || rank > 5) mismatch(`an image has shape ${showDims(x.dims)}`)
    if (grid.dims.length !== rank || grid.dims[0] !== x.dims[0] || grid.dims[rank - 1] !== rank - 2)
      mismatch(`a grid has shape ${showDims(grid.dims)}, the image ${showDims(x.dims)}`)
    return [result(x.dtype, [...x.dims.slice(0, 2), ...grid.dims.slice(1, -1)])]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const points = required(inputs, 1).data as Float32Array
    const out = outputs[0] as Operand
    const [batch, channels, ...spatial] = x.dims as [number, number, ...number[]]
    const pointCount = product(out.dims.slice(2))
    const channelSize = product(spatial)
    const from = x.data as Float32Array
    const to = out.data as Float32Array
    if (channelSize === 0 || to.length === 0) {
      to.fill(0)
      return
    }
    const strides = rowMajorStrides(spatial)
    const tapCount = gridTapCounts[attributes.mode]
    const axes = spatial.map(
      (): GridTaps => ({ index: new Int32Array(tapCount), weight: new Float64Array(tapCount) }),
    )
    const offsets = new Int32Array(tapCount ** spatial.length)
    const weights = new Float64Array(offsets.length)
    for (let n = 0; n < batch; n++) {
      for (let p = 0; p < pointCount; p++) {
        const at = (n * pointCount + p) * spatial.length
        for (let d = 0; d < spatial.length; d++) {
          const coordinate = points[at + spatial.length - 1 - d] as number
          findTaps(coordinate, spatial[d] as number, attributes, axes[d] as GridTaps)
        }
        const count = joinTaps(axes, strides, offsets, weights)
        for (let c = 0; c < channels; c++) {
          const channel = n * channels + c
          let sum = 0
          for (let t = 0; t < count; t++) {
            sum += (weights[t] as number) * (from[channel * channelSize + (offsets[t] as number)] as number)
          }
          to[channel * pointCount + p] = sum
        }
      }
    }
  },
})

/** All combinations of taps that are on the image. @returns how many they are */
function joinTaps(
  axes: readonly GridTaps[],
  strides: readonly number[],
  offsets: Int32Array,
  weights: Float64Array,
): number {
  const tapCount = (axes[0] as GridTaps).index.length
  let count = 0
  for (let combination = 0; combination < offsets.length; combination++) {
    let offset = 0
    let weight = 1
    let rest = combination
    for (let d = 0; d < axes.length && offset >= 0; d++) {
      const tap = rest % tapCount
      rest = (rest - tap) / tapCount
      const index = (axes[d] as GridTaps).index[tap] as number
      weight *= (axes[d] as GridTaps).weight[tap] as number
      offset = index < 0 ? -1 : offset + index * (strides[d] as number)
    }
    if (offset < 0) continue
    offsets[count] = offset
    weights[count++] = weight
  }
  return count
}
