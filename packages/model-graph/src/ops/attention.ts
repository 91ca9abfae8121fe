// SPDX-License-Identifier: Apache-2.0
import { type Dim, isUnknown, type Value } from '../graph/graph.ts'
import { elementwise } from './arithmetic.ts'
import type { NodeContext } from './context.ts'
import { readAttributes } from './generic.ts'
import { emitMatmul } from './linear.ts'

export function importAttention(ctx: NodeContext): Value | readonly Value[] {
  // Sums are kept in double precision whatever it asks for.
  ctx.attributes.ignore('softmax_precision')
  const attributes = readAttributes(ctx, ctx.opType)
  if (attributes.scale === 0) ctx.unsupported('scale is 0')
  const {
    scale,
    softcap = 0,
    is_causal: isCausal = false,
    q_num_heads: queryHeads = 0,
    kv_num_heads: keyHeads = 0,
  } = attributes
  const isPlain = ctx.outputCount === 1 && ctx.inputs.slice(3).every((it) => it === null)
  if (isPlain && softcap === 0 && !isCausal) {
    const heads = [Number(queryHeads), Number(keyHeads)] as const
    const result = importPlain(ctx, heads, typeof scale === 'number' ? scale : null)
    if (result !== null) return result
  }
  return ctx.operatorOutputs(ctx.opType, ctx.inputs, attributes, ctx.outputCount)
}

/** Attention without a mask, on the kernels: softmax(scale · Q Kᵀ) V. Null where they cannot take it. */
function importPlain(
  ctx: NodeContext,
  [queryHeads, keyHeads]: readonly [query: number, key: number],
  givenScale: number | null,
): Value | null {
  const inputs = [ctx.input(0), ctx.input(1), ctx.input(2)] as const
  if (!ctx.fitsKernels(...inputs) || inputs.some(({ dims }) => dims.some(isUnknown))) return null
  const headCounts = [queryHeads, keyHeads, keyHeads]
  const split = inputs.map(({ dims }, i) => splitDims(dims, headCounts[i] as number))
  const [q, k, v] = split
  if (q == null || k == null || v == null) return null
  const [batch, heads, steps, size] = q as [Dim, Dim, Dim, Dim]
  const isFit = [k, v].every((it) => it[0] === batch && it[1] === heads) && k[3] === size && k[2] === v[2]
  if (!isFit || typeof size !== 'number') return null
  /** Heads in the second place, and the last dimensions exchanged or not. */
  const arranged = (i: 0 | 1 | 2, isExchanged: boolean): Value => {
    const value = inputs[i]
    const tail = isExchanged ? [3, 2] : [2, 3]
    if (value.dims.length === 4) return ctx.transpose(value, [0, 1, ...tail])
    const [b, h, s, d] = split[i] as [Dim, Dim, Dim, Dim]
    const order = tail.map((axis) => (axis === 2 ? 1 : 3))
    return ctx.transpose(ctx.reshape(value, [b, s, h, d]), [0, 2, ...order])
  }
  const scale = ctx.scalar(givenScale ?? 1 / Math.sqrt(size))
  const scores = emitMatmul(ctx, elementwise(ctx, 'mul', arranged(0, false), scale), arranged(1, true))
  if (scores === null) return null
  const weights = ctx.emit('softmax', { axis: 3, softmax: 'softmax' }, [scores], scores.dims)
  const result = emitMatmul(ctx, weights, arranged(2, false))
  if (result === null || inputs[0].dims.length === 4) return result
  const width = Number(heads) * Number(v[3])
  return ctx.reshape(ctx.transpose(result, [0, 2, 1, 3]), [batch, steps, width])
}

/** [batch, heads, steps, size] of a tensor whose heads are a dimension of their own, or side by side in the last one. */
function splitDims(dims: readonly Dim[], headCount: number): readonly Dim[] | null {
  if (dims.length === 4) return dims
  const [batch, steps, width] = dims
  const isFit = dims.length === 3 && typeof width === 'number' && headCount > 0 && width % headCount === 0
  return isFit ? [batch as Dim, headCount, steps as Dim, width / headCount] : null
}
