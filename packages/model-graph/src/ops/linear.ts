// SPDX-License-Identifier: Apache-2.0
import {
  type ConstantTensor,
  reshapedConstant,
  scaledConstant,
  splatConstant,
  transposedConstant,
} from '../graph/constant.ts'
import { broadcastDims, formatDims, sameDims } from '../graph/dims.ts'
import { type Dim, isUnknown, noActivation, type Value } from '../graph/graph.ts'
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

/**
 * A matrix product of two operands, with their leading dimensions broadcast. Ranks are at least 2. Null where the kernels
 * cannot tell that the dimensions fit, or cannot repeat an operand as they would have to.
 */
export function emitMatmul(ctx: NodeContext, a: Value, b: Value): Value | null {
  const inner = [a.dims.at(-1), b.dims.at(-2)] as const
  const batchA = a.dims.slice(0, -2)
  const batchB = b.dims.slice(0, -2)
  const batch = broadcastDims(batchA, batchB)
  if (inner[0] !== inner[1] || batch === null) return null
  const isSingle = (dims: readonly Dim[]) => dims.every((dim) => dim === 1)
  const ranked = (own: readonly Dim[]) => [...batch.slice(own.length).map(() => 1), ...own]
  const needsMoving = (own: readonly Dim[]) => !sameDims(own, isSingle(own) ? batch.map(() => 1) : batch)
  if ([a, b].some((it) => it.dims.some(isUnknown)) && [batchA, batchB].some(needsMoving)) return null
  // The kernel repeats one whole operand; broadcasting within the leading dimensions is spelled out.
  const spread = (value: Value, own: readonly Dim[]): Value => {
    const matrix = value.dims.slice(-2)
    if (isSingle(own)) return ctx.reshape(value, [...batch.map(() => 1), ...matrix])
    const reshaped = ctx.reshape(value, [...ranked(own), ...matrix])
    return sameDims(ranked(own), batch) ? reshaped : ctx.emit('expand', {}, [reshaped], [...batch, ...matrix])
  }
  const dims = [...batch, a.dims.at(-2) as Dim, b.dims.at(-1) as Dim]
  return ctx.emit('matmul', {}, [spread(a, batchA), spread(b, batchB)], dims)
}

export function importMatMul(ctx: NodeContext): Value {
  const given = [ctx.input(0), ctx.input(1)] as const
  return importFloatMatMul(ctx, ...given) ?? ctx.operator('MatMul', given)
}

function importFloatMatMul(ctx: NodeContext, givenA: Value, givenB: Value): Value | null {
  let [a, b] = [givenA, givenB]
  if (!ctx.fitsKernels(a, b) || a.dims.length === 0 || b.dims.length === 0) return null
  // A vector is a row on the left and a column on the right, and its dimension of 1 is taken out of the result.
  const fromVectorA = a.dims.length === 1
  const fromVectorB = b.dims.length === 1
  if ((fromVectorA || fromVectorB) && [a, b].some((it) => it.dims.some(isUnknown))) return null
  if (fromVectorA) a = ctx.reshape(a, [1, ...a.dims])
  if (fromVectorB) b = ctx.reshape(b, [...b.dims, 1])
  const isMatrixB = b.dims.slice(0, -2).every((dim) => dim === 1) && b.dims.length <= a.dims.length
  let result: Value | null
  if (b.constant !== null && isMatrixB && a.dims.at(-1) === b.dims.at(-2)) {
    result = emitDense(ctx, a, reshapedMatrix(b.constant))
  } else result = emitMatmul(ctx, a, b)
  if (result === null) return null
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
  ctx.attributes.ignore('broadcast')
  const attributes = {
    alpha: ctx.attributes.float('alpha', 1),
    beta: ctx.attributes.float('beta', 1),
    transA: ctx.attributes.int('transA', 0) !== 0,
    transB: ctx.attributes.int('transB', 0) !== 0,
  }
  return importFloatGemm(ctx, attributes) ?? ctx.operator('Gemm', ctx.inputs, attributes)
}

interface GemmAttributes {
  readonly alpha: number
  readonly beta: number
  readonly transA: boolean
  readonly transB: boolean
}

function importFloatGemm(ctx: NodeContext, { alpha, beta, transA, transB }: GemmAttributes): Value | null {
  const givenA = ctx.input(0)
  const givenB = ctx.input(1)
  const c = beta === 0 ? null : ctx.optional(2)
  const operands = [givenA, givenB, ...(c === null ? [] : [c])]
  if (!ctx.fitsKernels(...operands) || givenA.dims.length !== 2 || givenB.dims.length !== 2) return null
  const inner = [givenA.dims[transA ? 0 : 1], givenB.dims[transB ? 1 : 0]] as const
  const columns = givenB.dims[transB ? 0 : 1] as Dim
  const dims = [givenA.dims[transA ? 1 : 0] as Dim, columns]
  const spread = c === null ? dims : broadcastDims(dims, c.dims)
  if (inner[0] !== inner[1] || spread === null || !sameDims(spread, dims)) return null
  const a = transA ? ctx.transpose(givenA, [1, 0]) : givenA
  if (givenB.constant === null) {
    let result = emitMatmul(ctx, a, transB ? ctx.transpose(givenB, [1, 0]) : givenB)
    if (result !== null && alpha !== 1) result = elementwise(ctx, 'mul', result, ctx.scalar(alpha))
    return result === null ? null : addScaled(ctx, result, c, beta)
  }
  const scaled = scaleBy(givenB.constant, alpha)
  const weights = transB ? transposedConstant(scaled, [1, 0]) : scaled
  const bias = c?.constant != null ? rowBias(ctx, c.constant, columns as number, beta) : null
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
  return elementwise(ctx, 'add', result, beta === 1 ? c : elementwise(ctx, 'mul', c, ctx.scalar(beta)))
}
