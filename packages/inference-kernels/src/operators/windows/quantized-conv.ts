// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand, type TensorType } from '../operator.ts'
import { multiplyNarrow } from '../products/multiply-integers.ts'
import { requantizationFactor, requantized } from '../products/requantize.ts'
import { product, requireDtype, required, requireSameDtype, result, showDims } from '../support.ts'
import { windowAttributes } from './axes.ts'
import { type Convolution, convolutionOf, eachBlock, requireBias } from './convolution.ts'
import { tapCount, windowCount } from './patches.ts'

const bytes = ['uint8', 'int8'] as const

/** Refuses a quantization parameter that is not one number or, where there are filters, one for each of them. */
function requireParameter(parameter: TensorType | null, filterCount: number, what: string): void {
  if (parameter === null || (parameter.dims.length <= 1 && product(parameter.dims) === 1)) return
  if (parameter.dims.length !== 1 || parameter.dims[0] !== filterCount)
    mismatch(`${what} has shape ${showDims(parameter.dims)}, expected one number or ${filterCount}`)
}

function requireZero(zero: TensorType | null, operand: TensorType, filterCount: number, what: string): void {
  if (zero !== null) requireSameDtype(operand.dtype, zero.dtype)
  requireParameter(zero, filterCount, `the zero point of ${what}`)
}

/** Elements less their zero point: one for all, or one for each index of the first dimension. */
function centered(operand: Operand, zero: Operand | null): Int32Array {
  const out = Int32Array.from(operand.data as Int8Array)
  const zeros = (zero?.data ?? [0]) as ArrayLike<number>
  const runCount = out.length / zeros.length
  for (let i = 0, at = 0; i < zeros.length; i++) {
    for (let end = at + runCount; at < end; at++) out[at] = (out[at] as number) - (zeros[i] as number)
  }
  return out
}

/**
 * Convolves integers modulo 2^32, and calls `visit` for one run of windows of one filter after another.
 * @param visit gets where its sums begin and end, the filter, and where in the result they go
 */
function convolveIntegers(
  convolution: Convolution,
  x: Int32Array,
  weights: Int32Array,
  visit: (sums: Int32Array, from: number, end: number, filter: number, to: number) => void,
): void {
  const { axes, groups, inputChannels, outputChannels } = convolution
  const windows = windowCount(axes)
  const innerCount = inputChannels * tapCount(axes)
  eachBlock(convolution, x, ({ image, group, first, count, data, at }) => {
    const sums = new Int32Array(outputChannels * count)
    multiplyNarrow({
      a: weights,
      aAt: group * outputChannels * innerCount,
      b: data,
      bAt: at,
      out: sums,
      outAt: 0,
      sizes: [outputChannels, innerCount, count],
    })
    for (let o = 0; o < outputChannels; o++) {
      const filter = group * outputChannels + o
      const to = (image * groups * outputChannels + filter) * windows + first
      visit(sums, o * count, (o + 1) * count, filter, to)
    }
  })
}

/** Convolution of 8-bit integers in int32. Inputs: x, weights, zero point of x, zero point of the weights (one, or one per filter). */
export const convInteger = defineOperator({
  name: 'ConvInteger',
  inputCount: [2, 4],
  attributes: { ...windowAttributes, group: int(1) },
  infer({ inputs, attributes }) {
    const x = required(inputs, 0)
    const weights = required(inputs, 1)
    for (const { dtype } of [x, weights]) requireDtype(dtype, bytes)
    const { dims } = convolutionOf(x.dims, weights.dims, attributes)
    requireZero(inputs[2] ?? null, x, 1, 'x')
    requireZero(inputs[3] ?? null, weights, weights.dims[0] as number, 'the weights')
    return [result('int32', dims)]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const weights = required(inputs, 1)
    const out = (outputs[0] as Operand).data as Int32Array
    if (out.length === 0) return
    const convolution = convolutionOf(x.dims, weights.dims, attributes)
    const left = centered(x, inputs[2] ?? null)
    const right = centered(weights, inputs[3] ?? null)
    convolveIntegers(convolution, left, right, (sums, from, end, _filter, to) =>
      out.set(sums.subarray(from, end), to),
    )
  },
})

type Eight<T> = [x: T, xScale: T, xZero: T, weights: T, scales: T, zeros: T, scale: T, zero: T]

function eightOf<T>(inputs: readonly (T | null)[]): Eight<T> {
  return Array.from({ length: 8 }, (_, i) => required(inputs, i)) as Eight<T>
}

/**
 * Convolution of 8-bit integers, quantized again. Inputs: x, its scale and zero point; the weights, their scales and zero
 * points (one, or one per filter); scale and zero point of the result; bias in int32, as many as there are filters.
 */
export const qLinearConv = defineOperator({
  name: 'QLinearConv',
  inputCount: [8, 9],
  attributes: { ...windowAttributes, group: int(1) },
  infer({ inputs, attributes }) {
    const [x, xScale, xZero, weights, scales, zeros, scale, zero] = eightOf(inputs)
    const bias = inputs[8] ?? null
    for (const { dtype } of [x, weights, zero]) requireDtype(dtype, bytes)
    for (const { dtype } of [xScale, scales, scale]) requireSameDtype('float32', dtype)
    const { dims } = convolutionOf(x.dims, weights.dims, attributes)
    const filterCount = weights.dims[0] as number
    requireZero(xZero, x, 1, 'x')
    requireZero(zeros, weights, filterCount, 'the weights')
    requireParameter(zero, 1, 'the zero point of the result')
    requireParameter(xScale, 1, 'the scale of x')
    requireParameter(scales, filterCount, 'the scale of the weights')
    requireParameter(scale, 1, 'the scale of the result')
    if (bias !== null) requireSameDtype('int32', bias.dtype)
    requireBias(bias, filterCount)
    return [result(zero.dtype, dims)]
  },
  run({ inputs, outputs, attributes }) {
    const [x, xScale, xZero, weights, scales, zeros, scale, zero] = eightOf(inputs)
    const bias = (inputs[8] ?? null)?.data as Int32Array | undefined
    const out = outputs[0] as Operand
    const to = out.data as Int8Array
    if (to.length === 0) return
    const [least, most] = out.dtype === 'int8' ? [-128, 127] : [0, 255]
    const offset = zero.data[0] as number
    const convolution = convolutionOf(x.dims, weights.dims, attributes)
    const right = centered(weights, zeros)
    convolveIntegers(convolution, centered(x, xZero), right, (sums, from, end, filter, start) => {
      const weightScale = scales.data[scales.data.length === 1 ? 0 : filter] as number
      const factor = requantizationFactor(xScale.data[0] as number, weightScale, scale.data[0] as number)
      const added = bias?.[filter] ?? 0
      for (let i = from, at = start; i < end; i++, at++) {
        const value = requantized(((sums[i] as number) + added) | 0, factor) + offset
        to[at] = value < least ? least : value > most ? most : value
      }
    })
  },
})
