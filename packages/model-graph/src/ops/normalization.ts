// SPDX-License-Identifier: Apache-2.0
import { splatConstant } from '../graph/constant.ts'
import { formatDims, sameDims } from '../graph/dims.ts'
import { isUnknown, type Value } from '../graph/graph.ts'
import { emitUnary } from './activation.ts'
import { elementwise } from './arithmetic.ts'
import type { NodeContext } from './context.ts'
import { importOperator } from './generic.ts'
import { emitDense } from './linear.ts'

export function importBatchNormalization(ctx: NodeContext): Value {
  const x = ctx.input(0)
  ctx.attributes.ignore('momentum', 'consumed_inputs', 'spatial')
  if (ctx.opset < 7 && ctx.attributes.int('is_test', 0) === 0) ctx.unsupported('it trains (is_test is 0)')
  if (ctx.opset >= 7 && ctx.opset < 14 && ctx.outputCount > 1)
    ctx.unsupported(`it trains (it has ${ctx.outputCount} outputs)`)
  if (ctx.attributes.int('training_mode', 0) !== 0) ctx.unsupported('it trains (training_mode is 1)')
  const epsilon = ctx.attributes.float('epsilon', 1e-5)
  const channels = x.dims[1]
  const parameters = [1, 2, 3, 4].map((i) => ctx.input(i))
  const isPlain =
    ctx.fitsKernels(x, ...parameters) &&
    typeof channels === 'number' &&
    parameters.every(({ constant }) => constant?.dims.length === 1 && constant.dims[0] === channels)
  if (!isPlain) return ctx.operator('BatchNormalization', [x, ...parameters], { epsilon })
  return ctx.emit('batchNorm', { epsilon }, [x, ...parameters], x.dims)
}

/** Means over the last dimension, as a product with constant weights of 1/K. */
export function meanOfLast(ctx: NodeContext, x: Value): Value {
  const count = x.dims.at(-1)
  if (typeof count !== 'number') ctx.unsupported(`the last dimension of ${formatDims(x.dims)} must be known`)
  return emitDense(ctx, x, splatConstant('float32', [count, 1], Math.fround(1 / count)))
}

/** Refuses a normalization whose statistics have another precision than float32. */
function requireFloatStash(ctx: NodeContext): void {
  if (ctx.attributes.int('stash_type', 1) !== 1) ctx.unsupported('stash_type is not float')
}

/** A normalization that takes a node as it stands, but for the precision of its statistics. */
export function importStashedNormalization(ctx: NodeContext): readonly Value[] {
  requireFloatStash(ctx)
  return importOperator()(ctx)
}

export function importLayerNormalization(ctx: NodeContext): Value | readonly Value[] {
  requireFloatStash(ctx)
  const x = ctx.input(0)
  const scale = ctx.input(1)
  const bias = ctx.optional(2)
  const axis = ctx.axis(ctx.attributes.int('axis', -1), x.dims.length)
  const epsilon = ctx.attributes.float('epsilon', 1e-5)
  const parameters = bias === null ? [scale] : [scale, bias]
  const tail = x.dims.slice(axis)
  const isPlain =
    ctx.outputCount === 1 &&
    ctx.fitsKernels(x, ...parameters) &&
    parameters.every(({ dims }) => sameDims(dims, tail)) &&
    tail.every((dim) => typeof dim === 'number') &&
    (tail.length === 1 || !x.dims.some(isUnknown)) &&
    x.dims.length <= 6
  if (!isPlain) {
    return ctx.operatorOutputs('LayerNormalization', [x, scale, bias], { axis, epsilon }, ctx.outputCount)
  }
  const count = tail.reduce<number>((product, dim) => product * (dim as number), 1)
  const flat = ctx.reshape(x, [...(axis === 0 ? [1] : x.dims.slice(0, axis)), count])
  const centered = elementwise(ctx, 'sub', flat, meanOfLast(ctx, flat))
  const variance = meanOfLast(ctx, elementwise(ctx, 'mul', centered, centered))
  const deviation = emitUnary(ctx, 'sqrt', elementwise(ctx, 'add', variance, ctx.scalar(epsilon)))
  const normal = ctx.reshape(elementwise(ctx, 'div', centered, deviation), x.dims)
  const scaled = elementwise(ctx, 'mul', normal, scale)
  return bias === null ? scaled : elementwise(ctx, 'add', scaled, bias)
}
