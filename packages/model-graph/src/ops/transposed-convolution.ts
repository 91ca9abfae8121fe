// SPDX-License-Identifier: Apache-2.0
import {
  extentOf,
  type TransposedAttributes,
  transposedAxes,
  type WindowAttributes,
} from '@mlcapsule/inference-kernels/program'
import { reshapedConstant, transposedConstant } from '../graph/constant.ts'
import { type Dim, noActivation, type Value } from '../graph/graph.ts'
import { elementwise } from './arithmetic.ts'
import type { NodeContext } from './context.ts'
import { completeWindowAttributes, imageOperand } from './window.ts'

export function importConvTranspose(ctx: NodeContext): Value {
  const attributes = completeWindowAttributes<Omit<TransposedAttributes, keyof WindowAttributes>>(
    ctx,
    'ConvTranspose',
  )
  const inputs = [ctx.input(0), ctx.input(1), ctx.optional(2)] as const
  return importByProduct(ctx, inputs, attributes) ?? ctx.operator('ConvTranspose', inputs, { ...attributes })
}

/**
 * By the kernels: what each element spreads is a convolution of windows of one tap, and Col2Im adds it up. Null where weights
 * are not constant or in groups, where a size is not known, and in three dimensions.
 */
function importByProduct(
  ctx: NodeContext,
  inputs: readonly [x: Value, weights: Value, bias: Value | null],
  attributes: TransposedAttributes,
): Value | null {
  const [x, { constant }, bias] = inputs
  const operands = inputs.filter((it) => it !== null)
  if (constant === null || attributes.group !== 1 || !ctx.fitsKernels(...operands)) return null
  // Refuses what does not fit together.
  const dims = ctx.resultDims('ConvTranspose', inputs, { ...attributes })
  const [batch, , ...spatial] = x.dims as [Dim, Dim, ...Dim[]]
  const operand = imageOperand(ctx, x)
  if (operand === null || dims.includes(0)) return null
  if (!spatial.every((dim) => typeof dim === 'number')) return null
  const [channels, filters, ...kernel] = constant.dims as [number, number, ...number[]]
  const axes = transposedAxes(spatial, kernel, attributes)
  const after = axes.map(({ count, stride, kernel: taps, dilation, size, before }) =>
    Math.max(0, (count - 1) * stride + extentOf(taps, dilation) - size - before),
  )
  // Where the result goes on behind what is spread, there would be more windows than elements.
  const isWhole = axes.every(
    ({ count, stride, kernel: taps, dilation, size, before }, d) =>
      size + before + (after[d] as number) - extentOf(taps, dilation) < count * stride,
  )
  if (!isWhole) return null
  const rowCount = kernel.reduce((count, taps) => count * taps, filters)
  const matrix = transposedConstant(reshapedConstant(constant, [channels, rowCount]), [1, 0])
  const weights = ctx.constant(reshapedConstant(matrix, [rowCount, channels, 1, 1]))
  const spread = ctx.emit(
    'conv2d',
    { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1, activation: noActivation },
    [operand.image, weights, null, null],
    [batch, rowCount, ...operand.spatial],
  )
  const elementCount = spatial.reduce((count, dim) => count * dim, 1)
  const columns = ctx.reshape(spread, [batch, rowCount, elementCount])
  const result = ctx.operator(
    'Col2Im',
    [columns, ctx.integers(axes.map(({ size }) => size)), ctx.integers(kernel)],
    {
      strides: axes.map(({ stride }) => stride),
      dilations: axes.map(({ dilation }) => dilation),
      pads: [...axes.map(({ before }) => before), ...after],
    },
  )
  if (bias === null) return result
  return elementwise(ctx, 'add', result, ctx.reshape(bias, [filters, ...kernel.map(() => 1)]))
}
