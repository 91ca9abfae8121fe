// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { faultKind, runOperator } from '../testing.ts'
import { floats, ramp, rounded } from './testing.ts'

const bools = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: 'bool',
  shape,
  data: Uint8Array.from(values),
})
const counts = (...values: bigint[]): Tensor => ({
  dtype: 'int64',
  shape: [values.length],
  data: BigInt64Array.from(values),
})

// Two keys whose scores are 0 and ln 3 for a query of 1: weights of 1/4 and 3/4.
const ln3 = Math.log(3)
const q = floats([1, 1, 1, 1], [1])
const k = floats([1, 1, 2, 1], [0, ln3])
const v = floats([1, 1, 2, 2], [4, 8, 0, 4])

describe('Attention', () => {
  test('weighs values by the softmax of scores', () => {
    expect(rounded(runOperator('Attention', [q, k, v])[0])).toEqual([1, 5])
    // With size 4 the scores are halved.
    const wide = [floats([1, 1, 1, 4], [1, 0, 0, 0]), floats([1, 1, 2, 4], [0, 1, 1, 1, 2 * ln3, 1, 1, 1])]
    expect(rounded(runOperator('Attention', [...wide, v])[0])).toEqual([1, 5])
    expect(
      rounded(runOperator('Attention', [q, floats([1, 1, 2, 1], [0, 1]), v], { scale: ln3 })[0]),
    ).toEqual([1, 5])
  })

  test('takes heads side by side, and groups of query heads', () => {
    const queries = floats([1, 1, 4], [1, 1, 1, 0])
    const keys = floats([1, 2, 2], [0, ln3, ln3, 0])
    const values = floats([1, 2, 2], [4, 0, 0, 4])
    const heads = { q_num_heads: 4, kv_num_heads: 2 }
    // Head 0 of keys for queries 0 and 1, head 1 for 2 and 3.
    expect(runOperator('Attention', [queries, keys, values], heads)[0]?.shape).toEqual([1, 1, 4])
    expect(rounded(runOperator('Attention', [queries, keys, values], heads)[0])).toEqual([1, 1, 1, 2])
  })

  test('puts past keys and values before those of now', () => {
    const now = [floats([1, 1, 1, 1], [ln3]), floats([1, 1, 1, 2], [0, 4])]
    const past = [floats([1, 1, 1, 1], [0]), floats([1, 1, 1, 2], [4, 8])]
    const [y, keys, values] = runOperator('Attention', [q, ...now, null, ...past], { is_causal: true }, 3)
    expect(rounded(y)).toEqual([1, 5])
    expect(keys).toEqual(k)
    expect(values).toEqual(v)
  })

  test('masks by truth, by terms, by causality and by counts of keys', () => {
    const call = (mask: Tensor | null, more: readonly (Tensor | null)[] = [], attributes = {}) =>
      rounded(runOperator('Attention', [q, k, v, mask, ...more], attributes)[0])
    expect(call(bools([1, 2], [0, 1]))).toEqual([0, 4])
    expect(call(bools([1, 1, 1, 2], [1, 0]))).toEqual([4, 8])
    expect(call(floats([1, 1, 2], [ln3, 0]))).toEqual([2, 6])
    expect(call(null, [], { is_causal: true })).toEqual([4, 8])
    expect(call(null, [null, null, counts(1n)])).toEqual([4, 8])
    // The last query sees all keys that count.
    expect(call(null, [null, null, counts(2n)], { is_causal: true })).toEqual([1, 5])
  })

  test('a mask that ends early masks out the rest; a row without keys is 0', () => {
    const keys = floats([1, 1, 3, 1], [0, ln3, Number.NaN])
    const values = floats([1, 1, 3, 1], [4, 0, 9])
    const short = runOperator('Attention', [
      q,
      floats([1, 1, 3, 1], [0, ln3, 5]),
      values,
      bools([1, 2], [1, 1]),
    ])
    expect(rounded(short[0])).toEqual([1])
    const attributes = { qk_matmul_output_mode: 3 }
    const none = runOperator('Attention', [q, keys, values, bools([1, 3], [0, 0, 0])], attributes, 4)
    expect(rounded(none[0])).toEqual([0])
    expect(rounded(none[3])).toEqual([0, 0, 0])
  })

  test('gives the scores at each stage', () => {
    const stage = (mode: number) =>
      rounded(
        runOperator(
          'Attention',
          [q, floats([1, 1, 2, 1], [0, 2]), v, floats([1, 2], [0, 1])],
          { qk_matmul_output_mode: mode, softcap: 4 },
          4,
        )[3],
      )
    const capped = 4 * Math.tanh(0.5)
    const weight = 1 / (1 + Math.exp(capped + 1))
    const six = (values: readonly number[]) => values.map((it) => Math.round(it * 1e6) / 1e6)
    expect(stage(0)).toEqual([0, 2])
    expect(stage(1)).toEqual(six([0, capped]))
    expect(stage(2)).toEqual(six([0, capped + 1]))
    expect(stage(3)).toEqual(six([weight, 1 - weight]))
  })

  test('takes a soft cap that is not positive for none', () => {
    expect(rounded(runOperator('Attention', [q, k, v], { softcap: -0.5 })[0])).toEqual([1, 5])
  })

  test('of no keys is 0, of no queries nothing', () => {
    expect(rounded(runOperator('Attention', [q, ramp([1, 1, 0, 1]), ramp([1, 1, 0, 2])])[0])).toEqual([0, 0])
    expect(runOperator('Attention', [ramp([1, 1, 0, 1]), k, v])[0]?.shape).toEqual([1, 1, 0, 2])
    // Keys without elements weigh the same.
    expect(rounded(runOperator('Attention', [ramp([1, 1, 1, 0]), ramp([1, 1, 2, 0]), v])[0])).toEqual([2, 6])
  })

  test('refuses what does not fit', () => {
    expect(faultKind('Attention', [q, k, ramp([1, 1, 3, 2])])).toBe('mismatch')
    expect(faultKind('Attention', [ramp([1, 3, 1, 1]), ramp([1, 2, 2, 1]), ramp([1, 2, 2, 1])])).toBe(
      'mismatch',
    )
    expect(faultKind('Attention', [ramp([1, 1, 4]), ramp([1, 2, 4]), ramp([1, 2, 4])])).toBe('mismatch')
    expect(faultKind('Attention', [q, k, v, bools([1, 3], [1, 1, 1])])).toBe('mismatch')
    expect(faultKind('Attention', [q, k, v, bools([2, 1, 1, 2], [1, 1, 1, 1])])).toBe('mismatch')
    expect(faultKind('Attention', [q, k, v, bools([1, 1], [1])])).toBe('unsupported')
    expect(faultKind('Attention', [q, k, v, null, k])).toBe('mismatch')
    expect(faultKind('Attention', [q, k, v, null, k, ramp([1, 1, 3, 2])])).toBe('mismatch')
    expect(faultKind('Attention', [q, k, v, null, null, null, counts(3n)])).toBe('value')
    expect(faultKind('Attention', [q, k, v, null, null, null, counts(-1n)])).toBe('value')
    expect(faultKind('Attention', [q, k, v], { qk_matmul_output_mode: 4 })).toBe('unsupported')
  })
})

describe('RotaryEmbedding', () => {
  // Position 0 turns by a right angle, position 1 not at all.
  const cos = floats([2, 1], [0, 1])
  const sin = floats([2, 1], [1, 0])

  test('turns halves, or neighbors, by the angle of each position', () => {
    const two = [floats([2, 2], [0, 0, 1, 1]), floats([2, 2], [1, 1, 0, 0])]
    const x = floats([1, 1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8])
    const positions: Tensor = { dtype: 'int64', shape: [1, 2], data: BigInt64Array.of(1n, 0n) }
    const [halves] = runOperator('RotaryEmbedding', [x, ...two, positions])
    expect(rounded(halves)).toEqual([1, 2, 3, 4, -7, -8, 5, 6])
    const [neighbors] = runOperator('RotaryEmbedding', [x, ...two, positions], { interleaved: true })
    expect(rounded(neighbors)).toEqual([1, 2, 3, 4, -6, 5, -8, 7])
  })

  test('turns a part of each head, of heads side by side, without positions', () => {
    const x = floats([1, 2, 6], [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])
    const caches = [cos, sin].map((it) => ({ ...it, shape: [1, 2, 1] }))
    const attributes = { num_heads: 2, rotary_embedding_dim: 2 }
    expect(rounded(runOperator('RotaryEmbedding', [x, ...caches], attributes)[0])).toEqual([
      -2, 1, 3, -5, 4, 6, 1, 2, 3, 4, 5, 6,
    ])
  })

  test('refuses what does not fit', () => {
    const x = ramp([1, 1, 1, 2])
    const at = (position: bigint): Tensor => ({
      dtype: 'int64',
      shape: [1, 1],
      data: BigInt64Array.of(position),
    })
    expect(faultKind('RotaryEmbedding', [x, cos, sin, at(1n)])).toBe(null)
    expect(faultKind('RotaryEmbedding', [x, cos, sin, at(2n)])).toBe('value')
    expect(faultKind('RotaryEmbedding', [x, cos, sin, at(-1n)])).toBe('value')
    expect(faultKind('RotaryEmbedding', [x, cos, sin])).toBe('mismatch')
    expect(faultKind('RotaryEmbedding', [ramp([1, 1, 1, 3]), cos, sin, at(0n)])).toBe('mismatch')
    expect(faultKind('RotaryEmbedding', [ramp([1, 1, 4]), cos, sin, at(0n)])).toBe('mismatch')
    expect(faultKind('RotaryEmbedding', [ramp([1, 1, 1, 4]), cos, sin, at(0n)])).toBe('mismatch')
    expect(faultKind('RotaryEmbedding', [x, cos, sin, at(0n)], { rotary_embedding_dim: 4 })).toBe('mismatch')
  })
})
