// SPDX-License-Identifier: Apache-2.0
import type { WindowAttributes } from '@mlcapsule/inference-kernels/program'
import { reshapedConstant } from '../graph/constant.ts'
import { type Dim, noActivation, type Value } from '../graph/graph.ts'
import { elementwise } from './arithmetic.ts'
import type { NodeContext } from './context.ts'
import { completeWindowAttributes, imageOperand, kernelWindow } from './window.ts'

type ConvAttributes = WindowAttributes & { readonly group: number }

export function importConv(ctx: NodeContext): Value {
  const attributes = completeWindowAttributes<{ readonly group: number }>(ctx, 'Conv')
  const inputs = [ctx.input(0), ctx.input(1), ctx.optional(2)] as const
  return importKernelConv(ctx, inputs, attributes) ?? ctx.operator('Conv', inputs, { ...attributes })
}

/** By the kernels: constant weights, one or two spatial dimensions. Null where they cannot. */
function importKernelConv(
  ctx: NodeContext,
  inputs: readonly [x: Value, weights: Value, bias: Value | null],
  attributes: ConvAttributes,
): Value | null {
  const [x, given, bias] = inputs
  const { constant } = given
  if (constant === null || !ctx.fitsKernels(x, given, ...(bias === null ? [] : [bias]))) return null
  // Refuses what does not fit together.
  const dims = ctx.resultDims('Conv', inputs, { ...attributes })
  const [filters, groupChannels, ...kernel] = constant.dims as [number, number, ...number[]]
  if (typeof x.dims[1] !== 'number' || (bias !== null && bias.dims[0] !== filters)) return null
  const operand = imageOperand(ctx, x)
  if (operand === null) return null
  const window = kernelWindow(operand.spatial, kernel, attributes, false)
  if (window === null || dims.includes(0)) return null
  const { strides, pads, dilations } = window
  const weightDims = [filters, groupChannels, ...window.kernel]
  const weights = kernel.length === 2 ? given : ctx.constant(reshapedConstant(constant, weightDims))
  const fused = bias?.constant === null ? null : bias
  const result = ctx.emit(
    'conv2d',
    { strides, pads, dilations, groups: attributes.group, activation: noActivation },
    [operand.image, weights, fused, null],
    kernel.length === 2 ? dims : [...dims.slice(0, 2), 1, dims[2] as Dim],
  )
  if (bias === null || fused !== null) return operand.restore(result)
  return operand.restore(elementwise(ctx, 'add', result, ctx.reshape(bias, [1, filters, 1, 1])))
}
