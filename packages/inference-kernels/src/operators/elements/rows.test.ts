// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { broadcastDims } from '../../program/broadcast.ts'
import { repeatStrides, walk } from '../support.ts'
import { eachBroadcastRow, eachRow } from './rows.ts'

function rowsOf(dims: readonly number[], operands: readonly (readonly number[])[]) {
  const rows: unknown[] = []
  eachBroadcastRow(
    dims,
    operands.map((it) => ({ dims: it })),
    (at, places, { count, steps }) => rows.push([at, [...places], count, steps]),
  )
  return rows
}

describe('eachBroadcastRow', () => {
  test('operands of one shape are one row', () => {
    expect(
      rowsOf(
        [2, 3, 4],
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
      ),
    ).toEqual([[0, [0, 0], 24, [1, 1]]])
  })

  test('a scalar repeats along one row', () => {
    expect(rowsOf([2, 3], [[2, 3], []])).toEqual([[0, [0, 0], 6, [1, 0]]])
  })

  test('an operand that repeats in the middle has a row per change', () => {
    expect(
      rowsOf(
        [2, 2, 3],
        [
          [2, 2, 3],
          [2, 1, 3],
        ],
      ),
    ).toEqual([
      [0, [0, 0], 3, [1, 1]],
      [3, [3, 0], 3, [1, 1]],
      [6, [6, 3], 3, [1, 1]],
      [9, [9, 3], 3, [1, 1]],
    ])
  })

  test('a column and a row', () => {
    expect(rowsOf([2, 3], [[2, 1], [3]])).toEqual([
      [0, [0, 0], 3, [0, 1]],
      [3, [1, 0], 3, [0, 1]],
    ])
  })

  test('scalars are a row of one, an empty box has none', () => {
    expect(rowsOf([], [[], []])).toEqual([[0, [0, 0], 1, [0, 0]]])
    expect(rowsOf([3, 0], [[3, 0], [1]])).toEqual([])
  })
})

test('eachRow takes strides as they are', () => {
  const rows: unknown[] = []
  eachRow([2, 3], [[0, 1]], (at, places, { count, steps }) => rows.push([at, [...places], count, steps]))
  expect(rows).toEqual([
    [0, [0], 3, [1]],
    [3, [0], 3, [1]],
  ])
})

/** All dims of a rank with sizes 0 to 3. */
function everyDims(rank: number): number[][] {
  if (rank === 0) return [[]]
  return everyDims(rank - 1).flatMap((dims) => [0, 1, 2, 3].map((dim) => [...dims, dim]))
}

test('goes where one index after the other would go, for all small shapes', () => {
  const shapes = [...everyDims(0), ...everyDims(1), ...everyDims(2), ...everyDims(3)]
  let pairCount = 0
  for (const a of shapes) {
    for (const b of shapes) {
      const dims = broadcastDims(a, b)
      if (dims === null) continue
      const expected: number[][] = []
      walk(dims, [repeatStrides(a, dims), repeatStrides(b, dims)], (at, places) =>
        expected.push([at, ...places]),
      )
      const actual: number[][] = []
      eachBroadcastRow(dims, [{ dims: a }, { dims: b }], (at, places, { count, steps }) => {
        for (let n = 0; n < count; n++) {
          actual.push([at + n, ...places.map((place, i) => place + n * (steps[i] as number))])
        }
      })
      if (JSON.stringify(actual) !== JSON.stringify(expected)) expect.unreachable(`[${a}] and [${b}]`)
      pairCount++
    }
  }
  expect(pairCount).toBeGreaterThan(1000)
})
