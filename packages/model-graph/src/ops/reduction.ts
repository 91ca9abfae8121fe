// SPDX-License-Identifier: Apache-2.0
import { splatConstant } from '../graph/constant.ts'
import { formatDims } from '../graph/dims.ts'
import type { Dim, Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { emitDense } from './linear.ts'
import { poolWhole } from './pooling.ts'

/** Axes: an attribute in older opsets, a constant input since `inputSince`. None given means all, or nothing at all. */
function readAxes(ctx: NodeContext, rank: number, inputSince: number): readonly number[] {
  const isNoop = ctx.attributes.int('noop_with_empty_axes', 0) !== 0
  const fromInput = ctx.opset >= inputSince
  const given = fromInput
    ? ctx.optional(1) === null
      ? undefined
      : ctx.numbers(1, 'axes')
    : ctx.attributes.ints('axes')
  if (given === undefined || given.length === 0)
    return isNoop ? [] : Array.from({ length: rank }, (_, axis) => axis)
  return [...new Set(given.map((axis) => ctx.axis(axis, rank)))].sort((a, b) => a - b)
}

/** ReduceMean and ReduceSum: over height and width as pooling, otherwise as a product with constant weights. */
export const importReduce =
  (kind: 'mean' | 'sum', inputSince: number) =>
  (ctx: NodeContext): Value => {
    const x = ctx.float(0)
    const rank = x.dims.length
    const keepDims = ctx.attributes.int('keepdims', 1) !== 0
    const axes = readAxes(ctx, rank, inputSince)
    if (axes.length === 0) return x
    const kept = x.dims.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
    const dims = x.dims.flatMap((dim, axis): readonly Dim[] =>
      !axes.includes(axis) ? [dim] : keepDims ? [1] : [],
    )
    let count = 1
    for (const axis of axes) {
      const dim = x.dims[axis] as Dim
      count *=
        typeof dim === 'number'
          ? dim
          : ctx.unsupported(`reduced dimensions of ${formatDims(x.dims)} must be known`)
    }
    if (
      kind === 'mean' &&
      rank === 4 &&
      axes.length === 2 &&
      axes[0] === 2 &&
      typeof x.dims[1] === 'number'
    ) {
      return ctx.reshape(poolWhole(ctx, x, 'average'), dims)
    }
    const last = ctx.transpose(x, [...kept, ...axes])
    const rows = ctx.reshape(last, [
      ...(kept.length === 0 ? [1] : kept.map((axis) => x.dims[axis] as Dim)),
      count,
    ])
    const weight = kind === 'mean' ? Math.fround(1 / count) : 1
    return ctx.reshape(emitDense(ctx, rows, splatConstant('float32', [count, 1], weight)), dims)
  }
