// SPDX-License-Identifier: Apache-2.0
import { sameElementCount } from '../graph/dims.ts'
import { type Dim, isUnknown, type Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'

type SoftmaxOperator = 'Softmax' | 'LogSoftmax' | 'Hardmax'

/** Along one axis: in C where it can be. */
function along(ctx: NodeContext, operator: SoftmaxOperator, x: Value, axis: number): Value {
  if (operator === 'Hardmax' || !ctx.fitsKernels(x) || ctx.isTraced(x))
    return ctx.operator(operator, [x], { axis })
  const softmax = operator === 'Softmax' ? 'softmax' : 'logsoftmax'
  return ctx.emit('softmax', { axis, softmax }, [x], x.dims)
}

/** Joins the dimensions from `axis` on to one, at no cost where they are known. */
function flattened(ctx: NodeContext, x: Value, axis: number): Value {
  const kept = x.dims.slice(0, axis)
  const joined = x.dims.slice(axis)
  const count = joined.reduce<number>((all, dim) => all * (typeof dim === 'number' ? dim : Number.NaN), 1)
  const isPlain = count > 0 && ctx.fitsKernels(x) && !ctx.isTraced(x) && !kept.some(isUnknown)
  if (isPlain) return ctx.reshape(x, [...kept, count])
  return ctx.operator('Reshape', [x, ctx.integers([...kept.map(() => 0), -1])])
}

function reshapedLike(ctx: NodeContext, y: Value, x: Value): Value {
  const isPlain =
    ctx.fitsKernels(x) && !ctx.isTraced(y) && sameElementCount(y.dims, x.dims) && !x.dims.some(isUnknown)
  return isPlain ? ctx.reshape(y, x.dims) : ctx.operator('Reshape', [y, ctx.operator('Shape', [x])])
}

/** Before opset 13 the function goes over all dimensions from `axis` on, flattened; since then over one. */
export const importSoftmax =
  (operator: SoftmaxOperator) =>
  (ctx: NodeContext): Value => {
    const x = ctx.input(0)
    const rank = x.dims.length
    const given = ctx.attributes.int('axis', ctx.opset < 13 ? 1 : -1)
    // Old models of rank 1 keep the default axis 1.
    const axis = ctx.opset < 13 && rank === 1 && given === 1 ? 0 : ctx.axis(given, rank)
    const isLast = x.dims.slice(axis + 1).every((dim: Dim) => dim === 1)
    if (ctx.opset >= 13 || isLast) return along(ctx, operator, x, axis)
    return reshapedLike(ctx, along(ctx, operator, flattened(ctx, x, axis), axis), x)
  }
