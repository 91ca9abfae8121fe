// SPDX-License-Identifier: Apache-2.0
import type { BinaryKind } from '@mlcapsule/inference-kernels/program'
import { formatDims } from '../graph/dims.ts'
import { noActivation, type Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'

/** An elementwise operation of two operands, broadcast as in NumPy. */
export function elementwise(ctx: NodeContext, binary: BinaryKind, a: Value, b: Value): Value {
  ctx.requireFloat(a)
  ctx.requireFloat(b)
  const dims = ctx.broadcast(a.dims, b.dims)
  if (dims.length > 6) ctx.unsupported(`operands of rank ${dims.length}; up to 6 are supported`)
  return ctx.emit('binary', { binary, activation: noActivation }, [a, b], dims)
}

export const importBinary =
  (binary: BinaryKind) =>
  (ctx: NodeContext): Value => {
    const a = ctx.input(0)
    const b = ctx.input(1)
    const isPlain = ctx.fitsKernels(a, b) && Math.max(a.dims.length, b.dims.length) <= 6
    return isPlain ? elementwise(ctx, binary, a, b) : ctx.operator(ctx.opType, [a, b])
  }

/** Sum, Max, Min, Mean of any number of operands. */
export const importVariadic =
  (binary: BinaryKind, mean = false) =>
  (ctx: NodeContext): Value => {
    if (ctx.inputs.length === 2 && !mean) return importBinary(binary)(ctx)
    let result = ctx.float(0)
    for (let i = 1; i < ctx.inputs.length; i++) result = elementwise(ctx, binary, result, ctx.input(i))
    if (!mean || ctx.inputs.length === 1) return result
    return elementwise(ctx, 'mul', result, ctx.scalar(1 / ctx.inputs.length))
  }

export function importPRelu(ctx: NodeContext): Value {
  const x = ctx.float(0)
  let slope = ctx.float(1)
  // Before opset 7 a slope of rank 1 goes along the channels.
  if (ctx.opset < 7 && slope.dims.length === 1 && slope.dims[0] !== 1) {
    slope = ctx.reshape(slope, [slope.dims[0] as number, ...x.dims.slice(2).map(() => 1)])
  }
  const result = elementwise(ctx, 'prelu', x, slope)
  if (result.dims.length !== x.dims.length || result.dims.some((dim, axis) => dim !== x.dims[axis])) {
    ctx.mismatch(`slope ${formatDims(slope.dims)} does not go with ${formatDims(x.dims)}`)
  }
  return result
}
