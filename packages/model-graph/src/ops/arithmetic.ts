// SPDX-License-Identifier: Apache-2.0
import type { BinaryKind } from '@mlcapsule/inference-kernels/program'
import { formatDims, sameDims } from '../graph/dims.ts'
import { noActivation, type Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { readAttributes } from './generic.ts'

/** Dimensions of an operand of the binary kernel. */
const kernelRank = 6

/** An elementwise operation of two operands, broadcast as in NumPy. */
export function elementwise(ctx: NodeContext, binary: BinaryKind, a: Value, b: Value): Value {
  ctx.requireFloat(a)
  ctx.requireFloat(b)
  const dims = ctx.broadcast(a.dims, b.dims)
  if (dims.length > kernelRank)
    ctx.unsupported(`operands of rank ${dims.length}; up to ${kernelRank} are supported`)
  return ctx.emit('binary', { binary, activation: noActivation }, [a, b], dims)
}

/** Whether kernels in C do it: they cannot go on with what is known at import. */
function isForKernels(ctx: NodeContext, ...operands: readonly Value[]): boolean {
  return (
    ctx.fitsKernels(...operands) &&
    !ctx.isTraced(...operands) &&
    operands.every(({ dims }) => dims.length <= kernelRank)
  )
}

/** Both operands; before opset 7 the dimensions of the second one may be named to start at `axis` of the first. */
function broadcastOperands(ctx: NodeContext): readonly [Value, Value] {
  const a = ctx.input(0)
  const b = ctx.input(1)
  if (ctx.opset >= 7) return [a, b]
  const isBroadcast = ctx.attributes.int('broadcast', 0) !== 0
  const axis = ctx.attributes.int('axis', a.dims.length - b.dims.length)
  if (!isBroadcast && !sameDims(a.dims, b.dims))
    ctx.mismatch(`${formatDims(a.dims)} and ${formatDims(b.dims)} differ`)
  const first = axis < 0 ? axis + a.dims.length : axis
  const afterCount = a.dims.length - first - b.dims.length
  if (afterCount < 0) ctx.mismatch(`${formatDims(b.dims)} does not fit from axis ${axis} on`)
  if (afterCount === 0) return [a, b]
  const ones = new Array<number>(afterCount).fill(1)
  const isKnown = b.dims.every((dim) => typeof dim === 'number' && dim > 0)
  const placed = isKnown
    ? ctx.reshape(b, [...b.dims, ...ones])
    : ctx.operator('Reshape', [b, ctx.integers([...b.dims.map(() => 0), ...ones])])
  return [a, placed]
}

/** @param binary the kernel that computes it for float32, if there is one */
export const importBinary =
  (binary?: BinaryKind) =>
  (ctx: NodeContext): Value => {
    const [a, b] = broadcastOperands(ctx)
    if (binary !== undefined && isForKernels(ctx, a, b)) return elementwise(ctx, binary, a, b)
    return ctx.operator(ctx.opType, [a, b], readAttributes(ctx, ctx.opType))
  }

/** Sum, Max, Min, Mean of any number of operands. */
export const importVariadic =
  (binary: BinaryKind, mean = false) =>
  (ctx: NodeContext): Value => {
    const operands = ctx.inputs.map((_, i) => ctx.input(i))
    const [first, ...others] = operands
    if (first === undefined) ctx.mismatch('there are no operands')
    if (!isForKernels(ctx, ...operands)) return ctx.operator(ctx.opType, operands)
    const total = others.reduce((all, it) => elementwise(ctx, binary, all, it), first)
    return mean && others.length > 0 ? elementwise(ctx, 'mul', total, ctx.scalar(1 / operands.length)) : total
  }

export function importPRelu(ctx: NodeContext): Value {
  const x = ctx.input(0)
  let slope = ctx.input(1)
  // Before opset 7 a slope of rank 1 goes along the channels.
  if (ctx.opset < 7 && slope.dims.length === 1 && slope.dims[0] !== 1) {
    slope = ctx.reshape(slope, [slope.dims[0] as number, ...x.dims.slice(2).map(() => 1)])
  }
  if (!isForKernels(ctx, x, slope)) return ctx.operator('PRelu', [x, slope])
  // A slope that is larger than x is refused by the operator, or found to fit when sizes are known.
  if (!sameDims(ctx.broadcast(x.dims, slope.dims), x.dims)) return ctx.operator('PRelu', [x, slope])
  return elementwise(ctx, 'prelu', x, slope)
}
