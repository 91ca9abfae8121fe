// SPDX-License-Identifier: Apache-2.0
import { float, ints } from '../attributes.ts'
import { badValue, mismatch } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { requireDtype, required, result, showDims } from '../support.ts'

const { fround } = Math

/** The nearest whole number, halves away from 0. */
const roundHalfAway = (x: number): number => Math.sign(x) * Math.round(Math.abs(x))

/**
 * First and last element, exclusive, of each bin along one side of a region. Computed in single precision, as the models' own
 * runtimes do: where a bin ends hangs on the rounding.
 */
function binRanges(
  from: number,
  to: number,
  binCount: number,
  size: number,
): readonly (readonly [number, number])[] {
  const binSize = fround(Math.max(to - from + 1, 1) / binCount)
  const clamp = (at: number) => Math.min(Math.max(at, 0), size)
  return Array.from({ length: binCount }, (_, bin) => [
    clamp(from + Math.floor(fround(bin * binSize))),
    clamp(from + Math.ceil(fround((bin + 1) * binSize))),
  ])
}

/**
 * Regions of an image, each pooled into bins by their largest element; 0 for a bin off the image. Inputs: x [N, C, H, W],
 * regions [R, 5]: the image, then x and y of one corner and of the other.
 */
export const maxRoiPool = defineOperator({
  name: 'MaxRoiPool',
  inputCount: [2, 2],
  attributes: { pooled_shape: ints(), spatial_scale: float(1) },
  infer({ inputs, attributes: { pooled_shape } }) {
    const x = required(inputs, 0)
    const rois = required(inputs, 1)
    for (const { dtype } of [x, rois]) requireDtype(dtype, ['float32'])
    if (x.dims.length !== 4 || rois.dims.length !== 2 || rois.dims[1] !== 5)
      mismatch(`an image has shape ${showDims(x.dims)}, its regions ${showDims(rois.dims)}`)
    if (pooled_shape.length !== 2 || pooled_shape.some((count) => count < 1))
      mismatch(`pooled_shape is ${showDims(pooled_shape)}`)
    return [result('float32', [rois.dims[0] as number, x.dims[1] as number, ...pooled_shape])]
  },
  run({ inputs, outputs, attributes: { spatial_scale } }) {
    const x = required(inputs, 0)
    const rois = required(inputs, 1).data as Float32Array
    const from = x.data as Float32Array
    const { data, dims } = outputs[0] as Operand
    const to = data as Float32Array
    const [batch, channels, height, width] = x.dims as [number, number, number, number]
    const [count, , rowBins, columnBins] = dims as [number, number, number, number]
    let out = 0
    for (let r = 0; r < count; r++) {
      const [image, ...corners] = Array.from(rois.subarray(5 * r, 5 * r + 5)) as [number, ...number[]]
      if (!(Number.isInteger(image) && image >= 0 && image < batch))
        badValue('a region is of an image that is not there')
      const rounded = corners.map((it) => roundHalfAway(fround(it * spatial_scale)))
      if (rounded.some((it) => !Number.isFinite(it))) badValue('a region is not finite')
      const [left, top, right, bottom] = rounded as [number, number, number, number]
      const rows = binRanges(top, bottom, rowBins, height)
      const columns = binRanges(left, right, columnBins, width)
      for (let c = 0; c < channels; c++) {
        const channel = (image * channels + c) * height * width
        for (const [firstRow, endRow] of rows) {
          for (const [firstColumn, endColumn] of columns) {
            const isEmpty = endRow <= firstRow || endColumn <= firstColumn
            let best = isEmpty ? 0 : Number.NEGATIVE_INFINITY
            for (let y = firstRow; y < endRow; y++) {
              for (let at = channel + y * width + firstColumn; at < channel + y * width + endColumn; at++) {
                best = Math.max(best, from[at] as number)
              }
            }
            to[out++] = best
          }
        }
      }
    }
  },
})
