// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import type { OperandType, TensorType } from '../operator.ts'
import { broadcastAll, requireDtype, required, requireSameDtype, showDims } from '../support.ts'

/** A tensor of heads, [batch, heads, steps, size] or [batch, steps, heads · size]. */
export interface Heads {
  readonly batch: number
  readonly heads: number
  readonly steps: number
  readonly size: number
  readonly headStride: number
  readonly stepStride: number
}

export interface AttentionSizes {
  readonly q: Heads
  readonly k: Heads
  readonly v: Heads
  /** Steps of earlier keys and values. */
  readonly pastCount: number
  /** Steps of all keys. */
  readonly totalCount: number
}

function headsOf({ dims }: TensorType, headCount: number, what: string): Heads {
  if (dims.length === 4) {
    const [batch, heads, steps, size] = dims as [number, number, number, number]
    return { batch, heads, steps, size, headStride: steps * size, stepStride: size }
  }
  if (dims.length !== 3) mismatch(`${what} has shape ${showDims(dims)}, expected 3 or 4 dimensions`)
  const [batch, steps, width] = dims as [number, number, number]
  if (headCount < 1 || width % headCount !== 0)
    mismatch(`${what} has ${headCount} heads in ${width} elements`)
  const size = width / headCount
  return { batch, heads: headCount, steps, size, headStride: size, stepStride: width }
}

function requirePast(past: TensorType, { batch, heads, size }: Heads, what: string): void {
  requireSameDtype('float32', past.dtype)
  const [ownBatch, ownHeads, , ownSize] = past.dims
  if (past.dims.length !== 4 || ownBatch !== batch || ownHeads !== heads || ownSize !== size)
    mismatch(`${what} has shape ${showDims(past.dims)}, expected [${batch}, ${heads}, ?, ${size}]`)
}

function requireMask(mask: TensorType, { q, totalCount }: AttentionSizes): void {
  requireDtype(mask.dtype, ['float32', 'bool'])
  const { dims } = mask
  const last = dims.at(-1) as number
  const scores = [q.batch, q.heads, q.steps, totalCount]
  const isFit =
    dims.length >= 2 &&
    dims.length <= 4 &&
    last <= totalCount &&
    broadcastAll([scores.slice(0, -1), dims.slice(0, -1)]).every((dim, d) => dim === scores[d])
  if (!isFit) mismatch(`the mask has shape ${showDims(dims)}, the scores ${showDims(scores)}`)
}

/**
 * Sizes of an attention. Inputs: Q, K, V, mask, past keys and values, and how many keys of each batch entry count.
 * @throws OperatorFault where they do not fit together
 */
export function attentionSizes(
  inputs: readonly (OperandType | null)[],
  {
    q_num_heads: queryHeads,
    kv_num_heads: keyHeads,
  }: { readonly q_num_heads: number; readonly kv_num_heads: number },
): AttentionSizes {
  const query = required(inputs, 0)
  const key = required(inputs, 1)
  const value = required(inputs, 2)
  for (const { dtype } of [query, key, value]) requireDtype(dtype, ['float32'])
  const q = headsOf(query, queryHeads, 'Q')
  const k = headsOf(key, keyHeads, 'K')
  const v = headsOf(value, keyHeads, 'V')
  const isFit =
    k.batch === q.batch &&
    v.batch === q.batch &&
    k.size === q.size &&
    v.heads === k.heads &&
    v.steps === k.steps &&
    (k.heads === 0 ? q.heads === 0 : q.heads % k.heads === 0)
  if (!isFit)
    mismatch(
      `Q ${showDims(query.dims)}, K ${showDims(key.dims)} and V ${showDims(value.dims)} do not fit together`,
    )
  const [, , , mask, pastKey, pastValue, counts] = Array.from({ length: 7 }, (_, i) => inputs[i] ?? null)
  if ((pastKey == null) !== (pastValue == null)) mismatch('past keys come with past values')
  if (pastKey && pastValue) {
    requirePast(pastKey, k, 'past_key')
    requirePast(pastValue, v, 'past_value')
    if (pastKey.dims[2] !== pastValue.dims[2]) mismatch('past keys and past values differ in length')
    if (counts) mismatch('nonpad_kv_seqlen goes without past keys')
  }
  const pastCount = pastKey?.dims[2] ?? 0
  const sizes = { q, k, v, pastCount, totalCount: pastCount + k.steps }
  if (mask) requireMask(mask, sizes)
  if (counts) {
    requireDtype(counts.dtype, ['int64'])
    if (showDims(counts.dims) !== showDims([q.batch]))
      mismatch(`nonpad_kv_seqlen has shape ${showDims(counts.dims)}, expected [${q.batch}]`)
  }
  return sizes
}
