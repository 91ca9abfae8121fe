// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rowMajorStrides } from '../support.ts'
import { copyBox } from './copy-box.ts'

/** A box, the order of its axes where it is read, and a step per axis: 0 repeats, negative ones go backward. */
const boxes = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -2, max: 2 }), fc.nat()), {
  maxLength: 5,
})

test('copies any box as element by element', () => {
  fc.assert(
    fc.property(boxes, fc.constantFrom(1, 30), (axes, inner) => {
      const dims = [...axes.map(([dim]) => dim), inner]
      const steps = [...axes.map(([, step]) => step), 1]
      // The side that is read has its axes in another order, and room for the steps.
      const order = dims.map((_, d) => d).sort((a, b) => (axes[a]?.[2] ?? 0) - (axes[b]?.[2] ?? 0))
      const room = order.map((d) => (dims[d] as number) * Math.max(1, Math.abs(steps[d] as number)))
      const strides = rowMajorStrides(room)
      const reads = dims.map((_, d) => (strides[order.indexOf(d)] as number) * (steps[d] as number))
      const start = dims.reduce(
        (at, dim, d) => at + ((steps[d] as number) < 0 && dim > 0 ? -(reads[d] as number) * (dim - 1) : 0),
        0,
      )
      const source = Int32Array.from({ length: room.reduce((count, dim) => count * dim, 1) }, (_, i) => i + 1)
      const count = dims.reduce((product, dim) => product * dim, 1)
      const target = new Int32Array(count + 2)
      copyBox(
        dims,
        { data: source, start, strides: reads },
        { data: target, start: 1, strides: rowMajorStrides(dims) },
      )
      const expected = Array.from({ length: count }, (_, i) => {
        let place = start
        let rest = i
        for (let d = dims.length - 1; d >= 0; d--) {
          place += (rest % (dims[d] as number)) * (reads[d] as number)
          rest = Math.floor(rest / (dims[d] as number))
        }
        return source[place]
      })
      expect([...target]).toEqual([0, ...expected, 0])
    }),
    { numRuns: 500 },
  )
})

test('copies every kind of element', () => {
  for (const array of [Uint8Array, Int16Array, Uint32Array, Float32Array]) {
    const target = new array(3)
    copyBox(
      [3],
      { data: array.of(1, 2, 3), start: 2, strides: [-1] },
      { data: target, start: 0, strides: [1] },
    )
    expect([...target]).toEqual([3, 2, 1])
  }
  const target = new BigInt64Array(2)
  const data = BigInt64Array.of(-(2n ** 63n), 7n)
  copyBox([2, 1], { data, start: 0, strides: [1, 9] }, { data: target, start: 0, strides: [1, 1] })
  expect(target).toEqual(data)
})
