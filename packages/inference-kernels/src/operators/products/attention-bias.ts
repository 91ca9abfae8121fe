// SPDX-License-Identifier: Apache-2.0
import { badValue, unsupported } from '../fault.ts'
import type { Operand } from '../operator.ts'
import { repeatStrides } from '../support.ts'
import type { AttentionSizes } from './attention-sizes.ts'

/** Adds to the scores [steps of Q, all keys] of one head what the mask, causality and the count of keys ask for. */
export interface AttentionBias {
  /** @returns for each row, 1 if every key is masked out */
  add(scores: Float32Array, batch: number, head: number): Uint8Array
}

/** Keys that each batch entry has, or null where all count. */
function keyCounts(counts: Operand | null, { totalCount }: AttentionSizes): readonly number[] | null {
  if (counts === null) return null
  const numbers = Array.from(counts.data as BigInt64Array, Number)
  if (numbers.some((it) => it < 0 || it > totalCount))
    badValue(`a count of keys is outside 0 … ${totalCount}`)
  return numbers
}

export function attentionBias(
  mask: Operand | null,
  counts: Operand | null,
  isCausal: boolean,
  sizes: AttentionSizes,
): AttentionBias {
  const { q, pastCount, totalCount } = sizes
  const keys = keyCounts(counts, sizes)
  const maskedCount = mask === null ? totalCount : (mask.dims.at(-1) as number)
  // Opset 23 repeats a mask of one key, opset 24 takes the other keys for masked out, as with any mask that ends early.
  if (maskedCount === 1 && totalCount > 1) unsupported('a mask of one key for several')
  const maskDims = [q.batch, q.heads, q.steps, maskedCount]
  const strides = mask === null ? [0, 0, 0, 0] : repeatStrides(mask.dims, maskDims)
  const [batchStride, headStride, rowStride] = strides as [number, number, number]
  const isBool = mask?.dtype === 'bool'
  const values = mask?.data as Float32Array | undefined
  return {
    add(scores, batch, head) {
      const masked = new Uint8Array(q.steps)
      const count = keys?.[batch] ?? totalCount
      const offset = keys === null ? pastCount : count - q.steps
      for (let row = 0; row < q.steps; row++) {
        const start = row * totalCount
        const from = batch * batchStride + head * headStride + row * rowStride
        const end = Math.max(0, Math.min(count, maskedCount, isCausal ? row + offset + 1 : totalCount))
        let isMasked = true
        for (let key = 0, at = from; key < end; key++, at++) {
          if (values === undefined) {
            isMasked = false
            continue
          }
          const value = values[at] as number
          const bias = isBool ? (value === 0 ? Number.NEGATIVE_INFINITY : 0) : value
          if (bias !== Number.NEGATIVE_INFINITY) isMasked = false
          scores[start + key] = (scores[start + key] as number) + bias
        }
        for (let i = start + end; i < start + totalCount; i++) {
          scores[i] = (scores[i] as number) + Number.NEGATIVE_INFINITY
        }
        masked[row] = isMasked ? 1 : 0
      }
      return masked
    },
  }
}
