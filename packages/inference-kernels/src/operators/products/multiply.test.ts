// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { type Matrix, multiply } from './multiply.ts'

const at = ({ data, at: start, row, column }: Matrix, i: number, j: number) =>
  data[start + i * row + j * column] as number

const elements = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i * 7) % 11) - 5)

test.each([
  [1, 1, 1],
  [1, 5, 4],
  [2, 3, 5],
  [3, 4, 9],
  [5, 7, 6],
  [8, 1, 3],
  [4, 0, 4],
  [0, 3, 4],
  [3, 2, 0],
])('%d×%d times columns of %d, in all orders of storage', (rows, inner, columns) => {
  for (const isTransposedA of [false, true]) {
    for (const isTransposedB of [false, true]) {
      const a = { data: elements(rows * inner + 3), at: 3, row: inner, column: 1 }
      const b = { data: elements(inner * columns + 2), at: 2, row: columns, column: 1 }
      const x = isTransposedA ? { ...a, row: 1, column: rows } : a
      const y = isTransposedB ? { ...b, row: 1, column: inner } : b
      const expected = new Float32Array(rows * columns + 1).fill(3)
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          let sum = 0
          for (let k = 0; k < inner; k++) sum += at(x, i, k) * at(y, k, j)
          expected[1 + i * columns + j] = 0.5 * sum + 3
        }
      }
      const data = new Float32Array(rows * columns + 1).fill(3)
      const target = { data, at: 1, row: columns }
      multiply(x, y, target, [rows, inner, columns], { scale: 0.5, isAdded: true })
      expect(data).toEqual(expected)
      multiply(x, y, target, [rows, inner, columns], { scale: 0.5 })
      expect(data).toEqual(expected.map((it, i) => (i === 0 ? it : it - 3)))
    }
  }
})

test('sums keep double precision', () => {
  const a = { data: Float32Array.of(1e8, 1, -1e8), at: 0, row: 3, column: 1 }
  const b = { data: Float32Array.of(1, 1, 1), at: 0, row: 1, column: 1 }
  const data = new Float32Array(1)
  multiply(a, b, { data, at: 0, row: 1 }, [1, 3, 1])
  expect(data[0]).toBe(1)
})
