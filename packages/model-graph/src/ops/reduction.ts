// SPDX-License-Identifier: Apache-2.0
import { splatConstant } from '../graph/constant.ts'
import { type Dim, isUnknown, type Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { emitDense } from './linear.ts'
import { poolWhole } from './pooling.ts'

interface Reduction {
  readonly x: Value
  /** null: not given */
  readonly axes: Value | null
  readonly keepdims: boolean
  readonly isNoop: boolean
}

/** Axes are an attribute in older opsets, an input since `inputSince`. */
function readReduction(ctx: NodeContext, inputSince: number): Reduction {
  const given = ctx.opset < inputSince ? ctx.attributes.ints('axes') : undefined
  return {
    x: ctx.input(0),
    axes: given !== undefined ? ctx.integers(given) : ctx.opset < inputSince ? null : ctx.optional(1),
    keepdims: ctx.attributes.int('keepdims', 1) !== 0,
    isNoop: ctx.opset >= inputSince && ctx.attributes.int('noop_with_empty_axes', 0) !== 0,
  }
}

/** A reduction by the engine's operator. @param inputSince opset in which axes became an input */
export const importReduce =
  (inputSince = 18) =>
  (ctx: NodeContext): Value =>
    emitReduce(ctx, readReduction(ctx, inputSince))

function emitReduce(ctx: NodeContext, { x, axes, keepdims, isNoop }: Reduction): Value {
  return ctx.operator(ctx.opType, [x, axes], { keepdims, noop_with_empty_axes: isNoop })
}

/** Rising axes that are known, of dimensions that are known; null where they are not. */
function knownAxes(ctx: NodeContext, { x, axes }: Reduction): readonly number[] | null {
  const rank = x.dims.length
  const given = axes === null ? [] : ctx.known(axes)
  if (given === null || given.some((axis) => typeof axis !== 'number')) return null
  const all =
    given.length === 0 ? x.dims.map((_, axis) => axis) : given.map((axis) => ctx.axis(axis as number, rank))
  const sorted = [...new Set(all)].sort((a, b) => a - b)
  return sorted.every((axis) => typeof x.dims[axis] === 'number') ? sorted : null
}

/** ReduceMean and ReduceSum of float32: over height and width as pooling, otherwise as a product with constant weights. */
export const importSum =
  (kind: 'mean' | 'sum', inputSince: number) =>
  (ctx: NodeContext): Value => {
    const reduction = readReduction(ctx, inputSince)
    const { x, keepdims, isNoop } = reduction
    const isPlain = ctx.fitsKernels(x) && !ctx.isTraced(x) && !x.dims.some(isUnknown)
    const axes = isPlain && !isNoop ? knownAxes(ctx, reduction) : null
    if (axes === null || axes.length === 0) return emitReduce(ctx, reduction)
    const kept = x.dims.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
    const dims = x.dims.flatMap((dim, axis): readonly Dim[] =>
      !axes.includes(axis) ? [dim] : keepdims ? [1] : [],
    )
    const isImage = x.dims.length === 4 && axes.length === 2 && axes[0] === 2 && typeof x.dims[1] === 'number'
    if (kind === 'mean' && isImage) return ctx.reshape(poolWhole(ctx, x, 'average'), dims)
    const count = axes.reduce((all, axis) => all * (x.dims[axis] as number), 1)
    const last = ctx.transpose(x, [...kept, ...axes])
    const rows = ctx.reshape(last, [
      ...(kept.length === 0 ? [1] : kept.map((axis) => x.dims[axis] as Dim)),
      count,
    ])
    const weight = kind === 'mean' ? Math.fround(1 / count) : 1
    return ctx.reshape(emitDense(ctx, rows, splatConstant('float32', [count, 1], weight)), dims)
  }
