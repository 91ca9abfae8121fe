// SPDX-License-Identifier: Apache-2.0
import type { TensorData } from '@mlcapsule/contracts'
import { collapseBox } from '../../plan/strides.ts'
import { product } from '../support.ts'

/** One side of a copy: elements from `start` on, and how far apart they lie along each dimension of the box. */
export interface BoxSide {
  readonly data: TensorData
  readonly start: number
  readonly strides: readonly number[]
}

/** From this length on, a call of a typed array's own method is faster than a loop. */
const longRun = 24

function copyRun(
  source: Float32Array,
  from: number,
  read: number,
  target: Float32Array,
  to: number,
  write: number,
  count: number,
): void {
  if (write === 1 && read === 1 && count >= longRun) {
    target.set(source.subarray(from, from + count), to)
  } else if (write === 1 && read === 0 && count >= longRun) {
    target.fill(source[from] as number, to, to + count)
  } else {
    for (let i = 0, r = from, w = to; i < count; i++, r += read, w += write) target[w] = source[r] as number
  }
}

/**
 * Copies a box of elements between tensors of the same dtype. The strides of the side that is read may be 0, which
 * repeats, or negative.
 */
export function copyBox(boxDims: readonly number[], from: BoxSide, into: BoxSide): void {
  if (product(boxDims) === 0) return
  // The code is the same for each kind of array; naming one of them suffices for the types.
  const source = from.data as Float32Array
  const target = into.data as Float32Array
  const { dims, strides } = collapseBox({ dims: boxDims, strides: [from.strides, into.strides] })
  const [reads, writes] = strides as [readonly number[], readonly number[]]
  const last = dims.length - 1
  if (last < 0) {
    target[into.start] = source[from.start] as number
    return
  }
  const index = new Array<number>(last).fill(0)
  let r = from.start
  let w = into.start
  for (let d = 0; d >= 0; ) {
    copyRun(source, r, reads[last] as number, target, w, writes[last] as number, dims[last] as number)
    for (d = last - 1; d >= 0; d--) {
      r += reads[d] as number
      w += writes[d] as number
      index[d] = (index[d] as number) + 1
      if ((index[d] as number) < (dims[d] as number)) break
      r -= (reads[d] as number) * (dims[d] as number)
      w -= (writes[d] as number) * (dims[d] as number)
      index[d] = 0
    }
  }
}

/** Elements passed over to reach an index. */
export function placeOf(index: readonly number[], strides: readonly number[]): number {
  return index.reduce((place, at, d) => place + at * (strides[d] as number), 0)
}
