// SPDX-License-Identifier: Apache-2.0
import { splatConstant } from '../graph/constant.ts'
import { formatDims } from '../graph/dims.ts'
import type { Value } from '../graph/graph.ts'
import { emitUnary } from './activation.ts'
import { elementwise } from './arithmetic.ts'
import type { NodeContext } from './context.ts'
import { emitDense } from './linear.ts'

export function importBatchNormalization(ctx: NodeContext): Value {
  const x = ctx.float(0)
  ctx.attributes.ignore('momentum', 'consumed_inputs')
  if (ctx.opset < 7 && ctx.attributes.int('is_test', 0) === 0) ctx.unsupported('it trains (is_test is 0)')
  if (ctx.attributes.int('training_mode', 0) !== 0) ctx.unsupported('it trains (training_mode is 1)')
  if (ctx.attributes.int('spatial', 1) === 0) ctx.unsupported('spatial is 0')
  const epsilon = ctx.attributes.float('epsilon', 1e-5)
  const channels = x.dims[1]
  if (x.dims.length < 2 || typeof channels !== 'number')
    ctx.unsupported(`input has shape ${formatDims(x.dims)}`)
  const parameters = ['scale', 'bias', 'mean', 'variance'].map((name, i) => {
    const value = ctx.constantInput(i + 1, name)
    ctx.requireFloat(value)
    if (value.dims.length !== 1 || value.dims[0] !== channels) {
      ctx.mismatch(`${name} has shape ${formatDims(value.dims)}, expected [${channels}]`)
    }
    return value
  })
  return ctx.emit('batchNorm', { epsilon }, [x, ...parameters], x.dims)
}

/** Means over the last dimension, as a product with constant weights of 1/K. */
export function meanOfLast(ctx: NodeContext, x: Value): Value {
  const count = x.dims.at(-1)
  if (typeof count !== 'number') ctx.unsupported(`the last dimension of ${formatDims(x.dims)} must be known`)
  return emitDense(ctx, x, splatConstant('float32', [count, 1], Math.fround(1 / count)))
}

export function importLayerNormalization(ctx: NodeContext): Value {
  const x = ctx.float(0)
  const scale = ctx.float(1)
  const bias = ctx.optional(2)
  const axis = ctx.axis(ctx.attributes.int('axis', -1), x.dims.length)
  const epsilon = ctx.attributes.float('epsilon', 1e-5)
  if (ctx.attributes.int('stash_type', 1) !== 1) ctx.unsupported('stash_type is not float')
  let count = 1
  for (const dim of x.dims.slice(axis)) {
    count *= typeof dim === 'number' ? dim : ctx.unsupported(`dimension ${JSON.stringify(dim)} must be known`)
  }
  const flat = ctx.reshape(x, [...(axis === 0 ? [1] : x.dims.slice(0, axis)), count])
  const centered = elementwise(ctx, 'sub', flat, meanOfLast(ctx, flat))
  const variance = meanOfLast(ctx, elementwise(ctx, 'mul', centered, centered))
  const deviation = emitUnary(ctx, 'sqrt', elementwise(ctx, 'add', variance, ctx.scalar(epsilon)))
  const normal = ctx.reshape(elementwise(ctx, 'div', centered, deviation), x.dims)
  const scaled = elementwise(ctx, 'mul', normal, scale)
  return bias === null ? scaled : elementwise(ctx, 'add', scaled, bias)
}
