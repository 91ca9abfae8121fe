// SPDX-License-Identifier: Apache-2.0
import type { BinaryKind } from '@mlcapsule/inference-kernels/program'
import { broadcastDims, formatDims } from '../graph/dims.ts'
import { type Dim, noActivation, type Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'

/** An elementwise operation of two operands, broadcast as in NumPy. */
export function elementwise(ctx: NodeContext, binary: BinaryKind, a: Value, b: Value): Value {
  ctx.requireFloat(a)
  ctx.requireFloat(b)
  const dims = broadcastDims(a.dims, b.dims)
  if (dims === null)
    ctx.mismatch(`${formatDims(a.dims)} and ${formatDims(b.dims)} cannot be broadcast together`)
  if (dims.length > 6) ctx.unsupported(`operands of rank ${dims.length}; up to 6 are supported`)
  return ctx.emit('binary', { binary, activation: noActivation }, [a, b], dims)
}

const integerMath: Partial<Record<BinaryKind, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => Math.trunc(a / b),
  min: Math.min,
  max: Math.max,
}

/** Arithmetic on integers that are known at import: what exporters leave behind of shape computations. */
function foldIntegers(ctx: NodeContext, binary: BinaryKind, a: Value, b: Value): Value | null {
  const compute = integerMath[binary]
  const x = ctx.known(a)
  const y = ctx.known(b)
  if (compute === undefined || x === null || y === null || a.dims.length > 1 || b.dims.length > 1) return null
  const count = Math.max(x.length, y.length)
  if ((x.length !== count && x.length !== 1) || (y.length !== count && y.length !== 1)) return null
  const at = (values: readonly Dim[], i: number) => values[values.length === 1 ? 0 : i] as Dim
  const values: Dim[] = []
  for (let i = 0; i < count; i++) {
    const p = at(x, i)
    const q = at(y, i)
    if (typeof p === 'number' && typeof q === 'number') {
      const result = compute(p, q)
      if (!Number.isSafeInteger(result)) return null
      values.push(result)
    } else if (binary === 'mul' && (p === 1 || q === 1)) values.push(p === 1 ? q : p)
    else if ((binary === 'add' && (p === 0 || q === 0)) || (binary === 'sub' && q === 0))
      values.push(p === 0 ? q : p)
    else if (binary === 'div' && q === 1) values.push(p)
    else return null
  }
  return ctx.integers(values, a.dims.length + b.dims.length === 0 ? [] : [count], a.dtype)
}

export const importBinary =
  (binary: BinaryKind) =>
  (ctx: NodeContext): Value => {
    const a = ctx.input(0)
    const b = ctx.input(1)
    const isInteger = a.dtype === 'int64' || a.dtype === 'int32'
    if (isInteger && a.dtype === b.dtype) {
      const folded = foldIntegers(ctx, binary, a, b)
      if (folded !== null) return folded
    }
    return elementwise(ctx, binary, a, b)
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
