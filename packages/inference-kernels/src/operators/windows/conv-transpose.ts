// SPDX-License-Identifier: Apache-2.0
import { int, ints } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { multiply } from '../products/multiply.ts'
import { requireDtype, required, result, showDims } from '../support.ts'
import {
  extentOf,
  padsOf,
  perAxis,
  spatialDims,
  threeAxes,
  type WindowAttributes,
  type WindowAxis,
  windowAttributes,
} from './axes.ts'
import { requireBias } from './convolution.ts'
import { addPatches, imageCount, tapCount, windowCount } from './patches.ts'

/** Products of taps and elements that are held at a time. */
const blockElementCount = 2 ** 20

export interface TransposedAttributes extends WindowAttributes {
  readonly group: number
  readonly output_padding: readonly number[]
  readonly output_shape: readonly number[]
}

/** One list of numbers per spatial dimension, not negative; null if none is given. */
function optionalSizes(values: readonly number[], rank: number, name: string): readonly number[] | null {
  if (values.length === 0) return null
  if (values.length !== rank || values.some((it) => it < 0))
    mismatch(`${name} is ${showDims(values)}, expected ${rank} numbers`)
  return values
}

/** The windows of the convolution that this one turns around: its image is the result, its windows the input's elements. */
export function transposedAxes(
  spatial: readonly number[],
  kernel: readonly number[],
  attributes: TransposedAttributes,
): readonly WindowAxis[] {
  const rank = spatial.length
  const { auto_pad, kernel_shape: given, output_shape } = attributes
  if (given.length > 0 && (given.length !== rank || given.some((it, d) => it !== kernel[d])))
    mismatch(`kernel_shape is ${showDims(given)}, weights have ${showDims(kernel)}`)
  const taps = perAxis(kernel, rank, 'kernel_shape')
  const strides = perAxis(attributes.strides, rank, 'strides')
  const dilations = perAxis(attributes.dilations, rank, 'dilations')
  const extra = optionalSizes(attributes.output_padding, rank, 'output_padding')
  // Some exporters list the sizes of all dimensions.
  const asked = output_shape.length === rank + 2 ? output_shape.slice(2) : output_shape
  const sizes = optionalSizes(asked, rank, 'output_shape')
  const isExplicit = auto_pad === 'NOTSET' && sizes === null
  const pads = padsOf(isExplicit ? attributes.pads : [], rank)
  return spatial.map((count, d) => {
    const [stride, dilation] = [strides[d] as number, dilations[d] as number]
    const full = (count - 1) * stride + extentOf(taps[d] as number, dilation) + (extra?.[d] ?? 0)
    const isSame = auto_pad === 'SAME_UPPER' || auto_pad === 'SAME_LOWER'
    const wanted = sizes?.[d] ?? (isSame ? count * stride : null)
    let before = pads.before[d] as number
    let after = pads.after[d] as number
    if (wanted !== null) {
      const total = Math.max(full - wanted, 0)
      before = auto_pad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
      after = total - before
    }
    const size = wanted ?? full - before - after
    if (size < 0) mismatch(`padding of ${before} and ${after} around ${full} elements`)
    return { size, kernel: taps[d] as number, stride, dilation, before, after, count }
  })
}

function transposedConvolution(
  x: readonly number[],
  weights: readonly number[],
  attributes: TransposedAttributes,
) {
  const spatial = spatialDims(x)
  if (weights.length !== x.length)
    mismatch(`weights have shape ${showDims(weights)}, the input ${showDims(x)}`)
  const [batch, channels] = x as [number, number]
  const [inputChannels, outputChannels, ...kernel] = weights as [number, number, ...number[]]
  const { group: groups } = attributes
  if (groups < 1 || channels % groups !== 0 || inputChannels !== channels)
    mismatch(`weights ${showDims(weights)} in ${groups} groups on ${channels} channels`)
  const axes = transposedAxes(spatial, kernel, attributes)
  const dims = [batch, outputChannels * groups, ...axes.map(({ size }) => size)]
  return { batch, groups, inputChannels: channels / groups, outputChannels, axes: threeAxes(axes), dims }
}

/**
 * Transposed convolution over one, two or three spatial dimensions. Inputs: x [N, C, ...], weights [C, O / group, ...],
 * bias [O].
 */
export const convTranspose = defineOperator({
  name: 'ConvTranspose',
  inputCount: [2, 3],
  attributes: { ...windowAttributes, group: int(1), output_padding: ints(), output_shape: ints() },
  infer({ inputs, attributes }) {
    const x = required(inputs, 0)
    const weights = required(inputs, 1)
    const bias = inputs[2] ?? null
    for (const it of [x, weights, bias]) if (it !== null) requireDtype(it.dtype, ['float32'])
    const { dims } = transposedConvolution(x.dims, weights.dims, attributes)
    requireBias(bias, dims[1] as number)
    return [result('float32', dims)]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const weights = required(inputs, 1)
    const bias = (inputs[2] ?? null)?.data as Float32Array | undefined
    const out = (outputs[0] as Operand).data as Float32Array
    const sizes = transposedConvolution(x.dims, weights.dims, attributes)
    const { batch, groups, inputChannels, outputChannels, axes } = sizes
    const taps = tapCount(axes)
    const positions = windowCount(axes)
    const channelSize = imageCount(axes)
    if (out.length === 0) return
    const widest = Math.min(taps, Math.max(4, Math.floor(blockElementCount / Math.max(positions, 1))))
    const columns = new Float32Array(widest * positions)
    const image = new Float64Array(channelSize)
    for (let n = 0; n < batch; n++) {
      for (let o = 0; o < groups * outputChannels; o++) {
        const group = Math.floor(o / outputChannels)
        const filter = group * inputChannels * outputChannels + (o % outputChannels)
        image.fill(bias?.[o] ?? 0)
        for (let tap = 0; tap < taps; tap += widest) {
          const count = Math.min(widest, taps - tap)
          multiply(
            {
              data: weights.data as Float32Array,
              at: filter * taps + tap,
              row: 1,
              column: outputChannels * taps,
            },
            {
              data: x.data as Float32Array,
              at: (n * groups + group) * inputChannels * positions,
              row: positions,
              column: 1,
            },
            { data: columns, at: 0, row: positions },
            [count, inputChannels, positions],
          )
          addPatches(columns, axes, tap, tap + count, image)
        }
        out.set(image, (n * groups * outputChannels + o) * channelSize)
      }
    }
  },
})
