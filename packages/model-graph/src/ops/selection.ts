// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { importOperator } from './generic.ts'
import { renamed } from './moving.ts'

/** Scatter is the old name of ScatterElements. */
export const importScatter = importOperator('ScatterElements')

/** Compress and Unique: without an axis of the flattened tensor. */
export function importSelection(ctx: NodeContext): readonly Value[] {
  const [x, ...rest] = [ctx.input(0), ...ctx.inputs.slice(1)]
  const isFlat = !ctx.attributes.has('axis')
  const axis = ctx.attributes.int('axis', 0)
  const sorted = ctx.attributes.int('sorted', 1) !== 0
  const inputs = [isFlat ? renamed(ctx, 'Reshape', [x, ctx.integers([-1])]) : x, ...rest]
  return ctx.operatorOutputs(ctx.opType, inputs, { axis, sorted }, ctx.outputCount)
}

/** The number of elements is an attribute before opset 10, an input since. */
export function importTopK(ctx: NodeContext): readonly Value[] {
  const attributes = {
    axis: ctx.attributes.int('axis', -1),
    largest: ctx.attributes.int('largest', 1) !== 0,
    sorted: ctx.attributes.int('sorted', 1) !== 0,
  }
  const k = ctx.opset < 10 ? ctx.integers([ctx.attributes.int('k', 0)]) : ctx.input(1)
  return ctx.operatorOutputs('TopK', [ctx.input(0), k], attributes, ctx.outputCount)
}

/** The dtype is that of the input if none is named. */
export function importEyeLike(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const dtype = ctx.dtypeAttribute('dtype', x.dtype)
  const limit = 2 ** 31 - 1
  const k = Math.min(Math.max(ctx.attributes.int('k', 0), -limit), limit)
  return ctx.operator('EyeLike', [x], { k, dtype })
}
