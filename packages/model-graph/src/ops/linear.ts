// SPDX-License-Identifier: Apache-2.0
import {
  type ConstantTensor,
  reshapedConstant,
  scaledConstant,
  splatConstant,
  transposedConstant,
} from '../graph/constant.ts'
import { broadcastDims, formatDims, sameDims } from '../graph/dims.ts'
import { type Dim, noActivation, type Value } from '../graph/graph.ts'
import { elementwise } from './arithmetic.ts'
import type { NodeContext } from './context.ts'

function scaleBy(constant: ConstantTensor, factor: number): ConstantTensor {
  if (factor === 1) return constant
  return scaledConstant(constant, 0, new Float64Array(constant.dims[0] ?? 1).fill(factor))
}

/** x [..., K] times constant weights [K, N]. */
export function emitDense(
  ctx: NodeContext,
  x: Value,
  weights: ConstantTensor,
  bias: Value | null = null,
): Value {
  const [innerCount, columnCount] = weights.dims as [number, number]
  if (x.dims.at(-1) !== innerCount) ctx.mismatch(`${formatDims(x.dims)} times ${formatDims(weights.dims)}`)
  const dims = [...x.dims.slice(0, -1), columnCount]
  return ctx.emit('dense', { activation: noActivation }, [x, ctx.constant(weights), bias, null], dims)
}

/** A matrix product of two operands, with their leading dimensions broadcast. Ranks are at least 2. */
function emitMatmul(ctx: NodeContext, a: Value, b: Value): Value {
  if (a.dims.at(-1) !== b.dims.at(-2)) ctx.mismatch(`${formatDims(a.dims)} times ${formatDims(b.dims)}`)
  const batchA = a.dims.slice(0, -2)
  const batchB = b.dims.slice(0, -2)
  const batch = broadcastDims(batchA, batchB)
  if (batch === null) ctx.mismatch(`${formatDims(a.dims)} times ${formatDims(b.dims)}`)
  const isSingle = (dims: readonly Dim[]) => dims.every((dim) => dim === 1)
  // The kernel repeats one whole operand; broadcasting within the leading dimensions is spelled out.
  const spread = (value: Value, own: readonly Dim[]): Value => {
    const ranked = [...batch.slice(own.length).map(() => 1), ...own]
    const matrix = value.dims.slice(-2)
    if (isSingle(own)) return ctx.reshape(value, [...batch.map(() => 1), ...matrix])
    const reshaped = ctx.reshape(value, [...ranked, ...matrix])
    return sameDims(ranked, batch) ? reshaped : ctx.emit('expand', {}, [reshaped], [...batch, ...matrix])
  }
  const dims = [...batch, a.dims.at(-2) as Dim, b.dims.at(-1) as Dim]
  return ctx.emit('matmul', {}, [spread(a, batchA), spread(b, batchB)], dims)
}

export function importMatMul(ctx: NodeContext): Value {
  let a = ctx.float(0)
  let b = ctx.float(1)
  if (a.dims.length === 0 || b.dims.length === 0) ctx.mismatch('an operand is a scalar')
  // A vector is a row on the left and a column on the right, and its dimension of 1 is taken out of the result.
  const fromVectorA = a.dims.length === 1
  const fromVectorB = b.dims.length === 1
  if (fromVectorA) a = ctx.reshape(a, [1, ...a.dims])
  if (fromVectorB) b = ctx.reshape(b, [...b.dims, 1])
  const isMatrixB = b.dims.slice(0, -2).every((dim) => dim === 1) && b.dims.length <= a.dims.length
  let result: Value
  if (b.constant !== null && isMatrixB) {
    result = emitDense(ctx, a, reshapedMatrix(b.constant))
  } else result = emitMatmul(ctx, a, b)
  const batch = result.dims.slice(0, -2)
  const tail = [
    ...(fromVectorA ? [] : [result.dims.at(-2) as Dim]),
    ...(fromVectorB ? [] : [result.dims.at(-1) as Dim]),
  ]
  return ctx.reshape(result, [...batch, ...tail])
}

/** A constant whose leading dimensions are 1, as the matrix that it is. */
function reshapedMatrix(constant: ConstantTensor): ConstantTensor {
  return constant.dims.length === 2 ? constant : reshapedConstant(constant, constant.dims.slice(-2))
}

export function importGemm(ctx: NodeContext): Value {
  const alpha = ctx.attributes.float('alpha', 1)
  const beta = ctx.attributes.float('beta', 1)
  const matrix = (value: Value, transposed: boolean): Value => {
    if (value.dims.length !== 2)
      ctx.mismatch(`an operand has shape ${formatDims(value.dims)}, expected a matrix`)
    return transposed ? ctx.transpose(value, [1, 0]) : value
  }
  const a = matrix(ctx.float(0), ctx.attributes.int('transA', 0) !== 0)
  const transB = ctx.attributes.int('transB', 0) !== 0
  const givenB = ctx.float(1)
  const c = beta === 0 ? null : ctx.optional(2)
  if (c !== null) ctx.requireFloat(c)
  if (givenB.constant === null || givenB.dims.length !== 2) {
    let result = emitMatmul(ctx, a, matrix(givenB, transB))
    if (alpha !== 1) result = elementwise(ctx, 'mul', result, ctx.scalar(alpha))
    return addScaled(ctx, result, c, beta)
  }
  const scaled = scaleBy(givenB.constant, alpha)
  const weights = transB ? transposedConstant(scaled, [1, 0]) : scaled
  const columnCount = weights.dims[1] as number
  const bias = c?.constant != null ? rowBias(ctx, c.constant, columnCount, beta) : null
  const result = emitDense(ctx, a, weights, bias)
  return bias === null ? addScaled(ctx, result, c, beta) : result
}

/** C as a bias of one row, if it is the same for every row. */
function rowBias(ctx: NodeContext, c: ConstantTensor, columnCount: number, beta: number): Value | null {
  const isRow = c.dims.slice(0, -1).every((dim) => dim === 1)
  if (!isRow) return null
  if (c.dims.at(-1) === columnCount) return ctx.constant(scaleBy(reshapedConstant(c, [columnCount]), beta))
  if (typeof c.splat !== 'number' || (c.dims.at(-1) ?? 1) !== 1) return null
  return ctx.constant(splatConstant('float32', [columnCount], Math.fround(c.splat * beta)))
}

function addScaled(ctx: NodeContext, result: Value, c: Value | null, beta: number): Value {
  if (c === null) return result
  const scaled = beta === 1 ? c : elementwise(ctx, 'mul', c, ctx.scalar(beta))
  const sum = elementwise(ctx, 'add', result, scaled)
  if (!sameDims(sum.dims, result.dims))
    ctx.mismatch(`C has shape ${formatDims(c.dims)}, the product ${formatDims(result.dims)}`)
  return sum
}
