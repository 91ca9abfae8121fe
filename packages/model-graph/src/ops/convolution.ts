// SPDX-License-Identifier: Apache-2.0
import { reshapedConstant } from '../graph/constant.ts'
import { formatDims } from '../graph/dims.ts'
import { noActivation, type Value } from '../graph/graph.ts'
import { elementwise } from './arithmetic.ts'
import type { NodeContext } from './context.ts'
import { imageOperand, readWindow } from './window.ts'

export function importConv(ctx: NodeContext): Value {
  const operand = imageOperand(ctx, ctx.float(0))
  const given = ctx.constantInput(1, 'weights')
  ctx.requireFloat(given)
  const { dims } = given.constant
  if (dims.length !== operand.rank) ctx.mismatch(`weights have shape ${formatDims(dims)}`)
  const weights =
    operand.rank === 4
      ? given
      : ctx.constant(reshapedConstant(given.constant, [...dims.slice(0, 2), 1, ...dims.slice(2)]))
  const [outChannels, groupChannels] = dims as [number, number]
  const groups = ctx.attributes.int('group', 1)
  if (groups < 1 || outChannels % groups !== 0 || groupChannels * groups !== operand.channels) {
    const detail = `weights ${formatDims(dims)} in ${groups} groups on ${operand.channels} channels`
    ctx.mismatch(detail)
  }
  const window = readWindow(ctx, operand, dims.slice(2))
  const [, , kernelHeight, kernelWidth] = weights.dims
  if (window.kernel[0] !== kernelHeight || window.kernel[1] !== kernelWidth) {
    ctx.mismatch(`kernel_shape is ${formatDims(window.kernel)}, weights have shape ${formatDims(dims)}`)
  }
  const bias = ctx.optional(2)
  if (bias !== null && (bias.dims.length !== 1 || bias.dims[0] !== outChannels)) {
    ctx.mismatch(`bias has shape ${formatDims(bias.dims)}, expected [${outChannels}]`)
  }
  const fused = bias?.constant === null ? null : bias
  const result = ctx.emit(
    'conv2d',
    {
      strides: window.strides,
      pads: window.pads,
      dilations: window.dilations,
      groups,
      activation: noActivation,
    },
    [operand.image, weights, fused, null],
    [operand.batch, outChannels, ...window.output],
  )
  if (bias === null || fused !== null) return operand.restore(result)
  return operand.restore(elementwise(ctx, 'add', result, ctx.reshape(bias, [1, outChannels, 1, 1])))
}
