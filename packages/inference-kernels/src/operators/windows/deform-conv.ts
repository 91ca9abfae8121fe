// SPDX-License-Identifier: Apache-2.0
import { int, ints } from '../attributes.ts'
import { mismatch, unsupported } from '../fault.ts'
import { defineOperator, type Operand, type TensorType } from '../operator.ts'
import { multiply } from '../products/multiply.ts'
import { requireDtype, required, result, showDims } from '../support.ts'
import { windowAttributes } from './axes.ts'
import { type Convolution, convolutionOf, requireBias } from './convolution.ts'
import { imageCount, tapCount, windowCount } from './patches.ts'

const { auto_pad: _, ...attributes } = windowAttributes

interface Sizes {
  readonly dilations: readonly number[]
  readonly group: number
  readonly kernel_shape: readonly number[]
  readonly offset_group: number
  readonly pads: readonly number[]
  readonly strides: readonly number[]
}

function deformedConvolution(x: readonly number[], weights: readonly number[], sizes: Sizes): Convolution {
  if (x.length !== 4) unsupported(`an image has shape ${showDims(x)}; two spatial dimensions are supported`)
  return convolutionOf(x, weights, { ...sizes, auto_pad: 'NOTSET' })
}

/** Refuses offsets, or a mask, that are not one list of rows per tap for each group of channels. */
function requireTaps(
  operand: TensorType,
  { batch, axes, dims }: Convolution,
  perTap: number,
  groups: number,
): void {
  const expected = [batch, groups * tapCount(axes) * perTap, ...dims.slice(2)]
  if (operand.dims.length !== 4 || operand.dims.some((dim, d) => dim !== expected[d]))
    mismatch(`offsets or mask of ${showDims(operand.dims)}, expected ${showDims(expected)}`)
}

/** An image's element between elements; 0 off the image. */
function sample(x: Float32Array, at: number, height: number, width: number, y: number, left: number): number {
  if (!(y > -1 && y < height && left > -1 && left < width)) return 0
  const [row, column] = [Math.floor(y), Math.floor(left)]
  const [dy, dx] = [y - row, left - column]
  let sum = 0
  for (let r = 0; r < 2; r++) {
    for (let c = 0; c < 2; c++) {
      if (row + r < 0 || row + r >= height || column + c < 0 || column + c >= width) continue
      const weight = (r === 0 ? 1 - dy : dy) * (c === 0 ? 1 - dx : dx)
      sum += weight * (x[at + (row + r) * width + column + c] as number)
    }
  }
  return sum
}

/** Elements of patches that are held at a time. */
const blockElementCount = 65536

/**
 * Convolution whose taps move by offsets of their own. Inputs: x [N, C, H, W], weights [O, C / group, kH, kW], offsets
 * [N, offset_group * kH * kW * 2, oH, oW] (rows, then columns), bias [O], mask as the offsets with one number per tap.
 */
export const deformConv = defineOperator({
  name: 'DeformConv',
  inputCount: [3, 5],
  attributes: { ...attributes, group: int(1), offset_group: int(1), kernel_shape: ints() },
  infer({ inputs, attributes: sizes }) {
    const [x, weights, offsets] = [0, 1, 2].map((i) => required(inputs, i)) as [Operand, Operand, Operand]
    const [bias, mask] = [inputs[3] ?? null, inputs[4] ?? null]
    for (const it of [x, weights, offsets, bias, mask]) if (it !== null) requireDtype(it.dtype, ['float32'])
    const convolution = deformedConvolution(x.dims, weights.dims, sizes)
    if (sizes.offset_group < 1 || (x.dims[1] as number) % sizes.offset_group !== 0)
      mismatch(`${sizes.offset_group} groups of offsets for ${x.dims[1]} channels`)
    requireTaps(offsets, convolution, 2, sizes.offset_group)
    if (mask !== null) requireTaps(mask, convolution, 1, sizes.offset_group)
    requireBias(bias, weights.dims[0] as number)
    return [result('float32', convolution.dims)]
  },
  run({ inputs, outputs, attributes: sizes }) {
    const [x, weights, offsets] = [0, 1, 2].map((i) => required(inputs, i)) as [Operand, Operand, Operand]
    const bias = (inputs[3] ?? null)?.data as Float32Array | undefined
    const mask = (inputs[4] ?? null)?.data as Float32Array | undefined
    const out = (outputs[0] as Operand).data as Float32Array
    if (out.length === 0) return
    const convolution = deformedConvolution(x.dims, weights.dims, sizes)
    const { batch, groups, inputChannels, outputChannels, axes } = convolution
    const windows = windowCount(axes)
    const innerCount = inputChannels * tapCount(axes)
    const widest = Math.min(windows, Math.max(16, Math.floor(blockElementCount / Math.max(innerCount, 1))))
    const patches = new Float32Array(innerCount * widest)
    const moved = { x: x.data as Float32Array, offsets: offsets.data as Float32Array, mask }
    for (let n = 0; n < batch; n++) {
      for (let g = 0; g < groups; g++) {
        for (let first = 0; first < windows; first += widest) {
          const count = Math.min(widest, windows - first)
          fillDeformed(moved, convolution, sizes.offset_group, n, g, first, count, patches)
          const filters = g * outputChannels
          const at = (n * groups * outputChannels + filters) * windows + first
          for (let o = 0; o < outputChannels; o++) {
            out.fill(bias?.[filters + o] ?? 0, at + o * windows, at + o * windows + count)
          }
          multiply(
            { data: weights.data as Float32Array, at: filters * innerCount, row: innerCount, column: 1 },
            { data: patches, at: 0, row: count, column: 1 },
            { data: out, at, row: windows },
            [outputChannels, innerCount, count],
            { isAdded: true },
          )
        }
      }
    }
  },
})

/** What some windows of one group see: one row per channel and tap, with one column per window. */
function fillDeformed(
  { x, offsets, mask }: { x: Float32Array; offsets: Float32Array; mask: Float32Array | undefined },
  { groups, inputChannels, axes }: Convolution,
  offsetGroups: number,
  image: number,
  group: number,
  first: number,
  count: number,
  patches: Float32Array,
): void {
  const [, height, width] = axes
  const windows = windowCount(axes)
  const taps = tapCount(axes)
  const channels = groups * inputChannels
  let to = 0
  for (let c = group * inputChannels; c < (group + 1) * inputChannels; c++) {
    const at = (image * channels + c) * imageCount(axes)
    const offsetGroup = image * offsetGroups + Math.floor((c * offsetGroups) / channels)
    for (let tap = 0; tap < taps; tap++) {
      const kw = tap % width.kernel
      const kh = (tap - kw) / width.kernel
      const own = (offsetGroup * taps + tap) * windows
      for (let window = first; window < first + count; window++) {
        const ow = window % width.count
        const oh = (window - ow) / width.count
        const y = oh * height.stride - height.before + kh * height.dilation
        const left = ow * width.stride - width.before + kw * width.dilation
        const down = offsets[2 * own + window] as number
        const right = offsets[2 * own + windows + window] as number
        const value = sample(x, at, height.size, width.size, y + down, left + right)
        patches[to++] = mask === undefined ? value : value * (mask[own + window] as number)
      }
    }
  }
}
