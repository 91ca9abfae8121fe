// SPDX-License-Identifier: Apache-2.0
import { flag, int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type OperandType } from '../operator.ts'
import { computedDtypes, normalAxis, product, requireDtype, required, result } from '../support.ts'
import { requiredList, requireSizes } from './lists.ts'

function countOf(inputs: readonly (OperandType | null)[], size: number): number | null {
  const { count, values } = requiredList(inputs, 1)
  if (count !== 1) mismatch('k is one number')
  if (values === null) return null
  const [k] = requireSizes(values) as [number]
  return k <= size ? k : mismatch(`more than all of a dimension of ${size} are asked for`)
}

/** Order of two indices by their elements, then by themselves. NaN is larger than any number. */
function orderOf(data: Float32Array, largest: boolean): (a: number, b: number) => number {
  const sign = largest ? 1 : -1
  return (a, b) => {
    const [x, y] = [data[a] as number, data[b] as number]
    if (x < y) return sign
    if (x > y) return -sign
    // biome-ignore lint/suspicious/noSelfCompare: tells NaN, also where elements are big integers
    const [isNaNX, isNaNY] = [x !== x, y !== y]
    return isNaNX === isNaNY ? a - b : isNaNX ? -sign : sign
  }
}

/** Restores a heap whose root is the last in order, after the root was replaced. */
function siftDown(heap: Float64Array, order: (a: number, b: number) => number, start: number): void {
  const moved = heap[start] as number
  let at = start
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && order(heap[child + 1] as number, heap[child] as number) > 0) child++
    if (order(heap[child] as number, moved) <= 0) break
    heap[at] = heap[child] as number
    at = child
  }
  heap[at] = moved
}

/** Places of the first `k` elements in order, of those that lie `stride` apart. */
function firstPlaces(
  order: (a: number, b: number) => number,
  start: number,
  stride: number,
  size: number,
  k: number,
): Float64Array {
  const heap = Float64Array.from({ length: k }, (_, i) => start + i * stride)
  if (k === 0) return heap
  for (let i = (k >> 1) - 1; i >= 0; i--) siftDown(heap, order, i)
  for (let i = k; i < size; i++) {
    const place = start + i * stride
    if (order(place, heap[0] as number) >= 0) continue
    heap[0] = place
    siftDown(heap, order, 0)
  }
  return heap.sort(order)
}

/**
 * The `k` (input 1) largest or smallest elements along an axis, in order, the earlier of equal ones first, and their indices.
 * They are in order whatever `sorted` says.
 */
export const topK = defineOperator({
  name: 'TopK',
  inputCount: [2, 2],
  outputCount: [1, 2],
  attributes: { axis: int(-1), largest: flag(true), sorted: flag(true) },
  contents: [1],
  infer({ inputs, attributes }) {
    const { dtype, dims } = required(inputs, 0)
    requireDtype(dtype, computedDtypes)
    const axis = normalAxis(attributes.axis, dims.length)
    const out: (number | null)[] = [...dims]
    out[axis] = countOf(inputs, dims[axis] as number)
    return [result(dtype, out), result('int64', out)]
  },
  run({ inputs, outputs, attributes: { axis: given, largest } }) {
    const { data, dims } = required(inputs, 0)
    const axis = normalAxis(given, dims.length)
    const values = required(outputs, 0)
    const indices = outputs[1]?.data as BigInt64Array | undefined
    const [size, k] = [dims[axis], values.dims[axis]] as [number, number]
    const outer = product(dims.slice(0, axis))
    const inner = product(dims.slice(axis + 1))
    const source = data as Float32Array
    const target = values.data as Float32Array
    const order = orderOf(source, largest)
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const start = o * size * inner + i
        const places = firstPlaces(order, start, inner, size, k)
        for (let n = 0; n < k; n++) {
          const place = places[n] as number
          const to = (o * k + n) * inner + i
          target[to] = source[place] as number
          if (indices !== undefined) indices[to] = BigInt((place - start) / inner)
        }
      }
    }
  },
})
