// SPDX-License-Identifier: Apache-2.0
import { float, int, oneOf } from '../attributes.ts'
import { badValue, mismatch } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { requireDtype, required, result, showDims } from '../support.ts'

/** Samples of one bin: more are taken for a mistake. */
const largestSampleCount = 2 ** 20

/** Elements around each sample of a bin, four for each, and what they weigh. */
interface Samples {
  readonly at: Int32Array
  readonly weight: Float64Array
}

/** Sets the four elements around a point, with weight 0 where it lies off the image. */
function setSample(samples: Samples, s: number, height: number, width: number, y: number, x: number): void {
  const isOff = y < -1 || y > height || x < -1 || x > width
  const top = Math.max(y, 0)
  const left = Math.max(x, 0)
  const row = Math.min(Math.floor(top), height - 1)
  const column = Math.min(Math.floor(left), width - 1)
  const dy = row === height - 1 ? 0 : top - row
  const dx = column === width - 1 ? 0 : left - column
  const below = Math.min(row + 1, height - 1) * width
  const right = Math.min(column + 1, width - 1)
  setCorner(samples, 4 * s, row * width + column, isOff ? 0 : (1 - dy) * (1 - dx))
  setCorner(samples, 4 * s + 1, row * width + right, isOff ? 0 : (1 - dy) * dx)
  setCorner(samples, 4 * s + 2, below + column, isOff ? 0 : dy * (1 - dx))
  setCorner(samples, 4 * s + 3, below + right, isOff ? 0 : dy * dx)
}

function setCorner(samples: Samples, k: number, at: number, weight: number): void {
  samples.at[k] = at
  samples.weight[k] = weight
}

/** A region's bins: where they begin, their size, and the samples along each side. */
interface Bins {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
  readonly rowCount: number
  readonly columnCount: number
}

interface RegionAttributes {
  readonly output_height: number
  readonly output_width: number
  readonly sampling_ratio: number
  readonly spatial_scale: number
  readonly coordinate_transformation_mode: 'half_pixel' | 'output_half_pixel'
}

const { fround } = Math

/**
 * Computed in single precision, as the models' own runtimes do: how many samples a bin has, and whether those at the border
 * are on the image, hangs on the rounding.
 * @param roi x and y of one corner, then of the other
 */
function binsOf(roi: readonly number[], attributes: RegionAttributes): Bins {
  const { output_height, output_width, sampling_ratio, spatial_scale } = attributes
  const isHalfPixel = attributes.coordinate_transformation_mode === 'half_pixel'
  const shift = isHalfPixel ? 0.5 : 0
  const [left, top, right, bottom] = roi.map((it) => fround(fround(it * spatial_scale) - shift)) as [
    number,
    number,
    number,
    number,
  ]
  const least = isHalfPixel ? Number.NEGATIVE_INFINITY : 1
  const height = fround(Math.max(fround(bottom - top), least) / output_height)
  const width = fround(Math.max(fround(right - left), least) / output_width)
  const rowCount = sampling_ratio > 0 ? sampling_ratio : Math.max(Math.ceil(height), 0)
  const columnCount = sampling_ratio > 0 ? sampling_ratio : Math.max(Math.ceil(width), 0)
  if (!(rowCount * columnCount <= largestSampleCount)) badValue('a region is not finite, or too large')
  return { top, left, height, width, rowCount, columnCount }
}

/**
 * Regions of an image, each pooled into bins whose samples are interpolated. Inputs: x [N, C, H, W], regions [R, 4] and the
 * image of each [R]. The largest sample of a bin is the largest of its weighted elements, as ONNX's reference has it.
 */
export const roiAlign = defineOperator({
  name: 'RoiAlign',
  inputCount: [3, 3],
  attributes: {
    mode: oneOf(['avg', 'max']),
    output_height: int(1),
    output_width: int(1),
    sampling_ratio: int(0),
    spatial_scale: float(1),
    coordinate_transformation_mode: oneOf(['half_pixel', 'output_half_pixel']),
  },
  infer({ inputs, attributes: { output_height, output_width, sampling_ratio } }) {
    const [x, rois, images] = [0, 1, 2].map((i) => required(inputs, i)) as [Operand, Operand, Operand]
    for (const { dtype } of [x, rois]) requireDtype(dtype, ['float32'])
    requireDtype(images.dtype, ['int64'])
    const [batch, channels] = x.dims
    const [count, coordinates] = rois.dims
    if (x.dims.length !== 4) mismatch(`an image has shape ${showDims(x.dims)}`)
    if (rois.dims.length !== 2 || coordinates !== 4 || images.dims.length !== 1 || images.dims[0] !== count)
      mismatch(`regions have shape ${showDims(rois.dims)}, their images ${showDims(images.dims)}`)
    if (output_height < 1 || output_width < 1 || sampling_ratio < 0)
      mismatch(`${output_height} × ${output_width} bins with ${sampling_ratio} samples`)
    if (sampling_ratio ** 2 > largestSampleCount) mismatch(`sampling_ratio is ${sampling_ratio}`)
    if (batch === 0 && count !== 0) mismatch('regions of no image')
    return [result('float32', [count as number, channels as number, output_height, output_width])]
  },
  run({ inputs, outputs, attributes }) {
    const [x, rois, images] = [0, 1, 2].map((i) => required(inputs, i)) as [Operand, Operand, Operand]
    const out = outputs[0] as Operand
    const to = out.data as Float32Array
    const [batch, channels, height, width] = x.dims as [number, number, number, number]
    const { output_height, output_width, mode } = attributes
    if (height === 0 || width === 0) {
      to.fill(0)
      return
    }
    const binCount = output_height * output_width
    const channelSize = height * width
    let samples: Samples = { at: new Int32Array(0), weight: new Float64Array(0) }
    for (let r = 0; r < (out.dims[0] as number); r++) {
      const image = Number(images.data[r])
      if (!(image >= 0 && image < batch)) badValue('a region is of an image that is not there')
      const bins = binsOf(Array.from((rois.data as Float32Array).subarray(4 * r, 4 * r + 4)), attributes)
      const count = bins.rowCount * bins.columnCount
      if (samples.at.length < 4 * count)
        samples = { at: new Int32Array(4 * count), weight: new Float64Array(4 * count) }
      for (let bin = 0; bin < binCount; bin++) {
        const y = fround(bins.top + fround(Math.floor(bin / output_width) * bins.height))
        const left = fround(bins.left + fround((bin % output_width) * bins.width))
        for (let s = 0; s < count; s++) {
          const row = Math.floor(s / bins.columnCount) + 0.5
          const column = (s % bins.columnCount) + 0.5
          const sampleY = fround(y + fround(fround(row * bins.height) / bins.rowCount))
          const sampleX = fround(left + fround(fround(column * bins.width) / bins.columnCount))
          setSample(samples, s, height, width, sampleY, sampleX)
        }
        for (let c = 0; c < channels; c++) {
          const channel = (x.data as Float32Array).subarray(
            (image * channels + c) * channelSize,
            (image * channels + c + 1) * channelSize,
          )
          to[(r * channels + c) * binCount + bin] = pooled(channel, samples, count, mode)
        }
      }
    }
  },
})

function pooled(channel: Float32Array, samples: Samples, count: number, mode: 'avg' | 'max'): number {
  let sum = 0
  let best = Number.NEGATIVE_INFINITY
  for (let k = 0; k < 4 * count; k++) {
    const value = (samples.weight[k] as number) * (channel[samples.at[k] as number] as number)
    sum += value
    if (value > best) best = value
  }
  if (mode === 'avg') return sum / Math.max(count, 1)
  return count === 0 ? 0 : best
}
