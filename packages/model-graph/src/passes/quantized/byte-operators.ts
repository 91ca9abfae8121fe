// SPDX-License-Identifier: Apache-2.0
// Operators on bytes, as steps on uint8.
import { elementCount } from '@mlcapsule/contracts'
import type { WindowAttributes } from '@mlcapsule/inference-kernels/program'
import { type ConstantTensor, reshapedConstant, transposedConstant } from '../../graph/constant.ts'
import { sameElementCount } from '../../graph/dims.ts'
import {
  type Dim,
  type GraphNode,
  isUnknown,
  type NodeOf,
  type QuantizedWeights,
  type Value,
} from '../../graph/graph.ts'
import { kernelPoolWindow, type PoolAttributes, pooledPads } from '../../ops/pooling.ts'
import { kernelWindow } from '../../ops/window.ts'
import { type ByteFormat, byteFormatOf, isByte } from './byte-format.ts'
import { quantizedWeights } from './quantized-weights.ts'

/** Makes the step, with what is read and what is written as uint8. */
export type ByteStep = (input: Value, output: Value) => GraphNode

const fullRange = ({ scale, zero }: ByteFormat) => ({ scale, zero, low: 0, high: 255 })

/** One number for all, or one for each row. */
async function perRow(value: Value, rowCount: number): Promise<readonly number[] | null> {
  const { constant } = value
  const count = constant === null ? 0 : elementCount(constant.dims)
  if (constant === null || (count !== 1 && count !== rowCount)) return null
  return Array.from(await constant.read(0, count), Number)
}

/** The quantized weights of an operator whose inputs are the eight of QLinearConv and QLinearMatMul, and a bias. */
async function weightsOf(
  inputs: readonly (Value | null)[],
  integers: ConstantTensor,
  input: ByteFormat,
  result: ByteFormat,
): Promise<QuantizedWeights | null> {
  const [, , , , weightScales, weightZeros, , , bias] = inputs as readonly Value[]
  const rowCount = integers.dims[0] as number
  const scales = await perRow(weightScales as Value, rowCount)
  const zeroPoints = await perRow(weightZeros as Value, rowCount)
  if (scales === null || zeroPoints === null || (bias != null && bias.constant === null)) return null
  const biases = (await bias?.constant?.read(0, rowCount)) ?? new Int32Array(rowCount)
  return quantizedWeights({ integers, scales, zeroPoints }, Array.from(biases, Number), input, result)
}

/** What the bytes that go in and those that come out stand for; null where one number does not say it. */
async function formatsOf({
  inputs,
  output,
}: NodeOf<'operator'>): Promise<readonly [input: ByteFormat, result: ByteFormat] | null> {
  const [x, xScale, xZero, , , , scale, zero] = inputs as readonly Value[]
  if (x === undefined || !isByte(x) || !isByte(output)) return null
  const input = await byteFormatOf(xScale, xZero, x.dtype)
  const result = await byteFormatOf(scale, zero, output.dtype)
  return input === null || result === null ? null : [input, result]
}

/** Two spatial dimensions, as many channels as are known beforehand. */
async function convolutionOf(node: NodeOf<'operator'>): Promise<ByteStep | null> {
  const { inputs, origin } = node
  const [x, , , filters] = inputs as readonly Value[]
  const { constant } = filters as Value
  const { dims } = x as Value
  if (constant?.dims.length !== 4 || typeof dims[1] !== 'number') return null
  const attributes = node.attributes.attributes as unknown as WindowAttributes & { readonly group: number }
  const window = kernelWindow(dims.slice(2) as [Dim, Dim], constant.dims.slice(2), attributes, false)
  const formats = await formatsOf(node)
  if (window === null || formats === null) return null
  const [{ zero: inputZero }, result] = formats
  const weights = await weightsOf(inputs, constant, ...formats)
  if (weights === null) return null
  const { strides, pads, dilations } = window
  const own = { weights, strides, pads, dilations, groups: attributes.group, inputZero, sum: null }
  return (input, output) => ({
    op: 'quantizedConv2d',
    attributes: { ...own, quantization: fullRange(result) },
    inputs: [input, null],
    output,
    origin,
  })
}

/** One matrix of weights, however many matrices it is multiplied by. */
async function productOf(node: NodeOf<'operator'>): Promise<ByteStep | null> {
  const { inputs, origin } = node
  const [a, , , b] = inputs as readonly Value[]
  const { constant } = b as Value
  const { dims } = a as Value
  const isMatrix =
    constant !== null && constant.dims.length >= 2 && constant.dims.slice(0, -2).every((it) => it === 1)
  if (!isMatrix || dims.length < constant.dims.length || dims.at(-1) !== constant.dims.at(-2)) return null
  const formats = await formatsOf(node)
  if (formats === null) return null
  const [{ zero: inputZero }, result] = formats
  const columns = transposedConstant(reshapedConstant(constant, constant.dims.slice(-2)), [1, 0])
  const weights = await weightsOf(inputs, columns, ...formats)
  if (weights === null) return null
  const attributes = { weights, inputZero, quantization: fullRange(result) }
  return (input, output) => ({ op: 'quantizedDense', attributes, inputs: [input], output, origin })
}

/** Maxima are the same for bytes that are all moved by 128. */
function poolOf({ attributes, inputs, moreOutputs, origin }: NodeOf<'operator'>): ByteStep | null {
  const [x] = inputs as [Value]
  if (!isByte(x) || (moreOutputs?.length ?? 0) > 0 || x.dims.length !== 4 || typeof x.dims[1] !== 'number')
    return null
  const given = attributes.attributes as unknown as PoolAttributes
  const window = kernelPoolWindow(x.dims.slice(2) as [Dim, Dim], given)
  if (window === null) return null
  const { kernel, strides, dilations } = window
  const own = { kernel, strides, dilations, pads: pooledPads(window) }
  return (input, output) => ({ op: 'quantizedMaxPool2d', attributes: own, inputs: [input], output, origin })
}

/** Operators that give the elements of their first input under other dims. */
const renaming = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'])

/** Moves bytes, whatever they stand for. */
function moveOf(node: GraphNode): ByteStep | null {
  const { inputs, output: to, origin } = node
  const [x, ...parameters] = inputs as [Value, ...(Value | null)[]]
  if (!isByte(x)) return null
  if (node.op === 'reshape' || node.op === 'transpose') {
    return (input, output) => ({ ...node, inputs: [input], output })
  }
  if (node.op !== 'operator') return null
  const { operator, attributes } = node.attributes
  if (operator === 'Transpose') {
    const perm = attributes.perm as readonly number[]
    const permutation = perm.length === 0 ? x.dims.map((_, axis) => axis).reverse() : perm
    return (input, output) => ({
      op: 'transpose',
      attributes: { permutation },
      inputs: [input],
      output,
      origin,
    })
  }
  // An alias goes by dims alone: what decides on them has to be known, and none of them worked out later.
  const isAlias =
    renaming.has(operator) &&
    parameters.every((it) => it === null || it.constant !== null) &&
    ![...x.dims, ...to.dims].some(isUnknown) &&
    sameElementCount(x.dims, to.dims)
  return isAlias
    ? (input, output) => ({ op: 'reshape', attributes: {}, inputs: [input], output, origin })
    : null
}

/** The step on uint8 that does what a node on bytes does; null where there is none. */
export async function byteStepOf(node: GraphNode): Promise<ByteStep | null> {
  const [x] = node.inputs
  if (x == null || x.constant !== null || [...x.dims, ...node.output.dims].includes(0)) return null
  if (node.op !== 'operator') return moveOf(node)
  switch (node.attributes.operator) {
    case 'QLinearConv':
      return convolutionOf(node)
    case 'QLinearMatMul':
      return productOf(node)
    case 'MaxPool':
      return poolOf(node)
    default:
      return moveOf(node)
  }
}
