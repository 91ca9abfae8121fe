// SPDX-License-Identifier: Apache-2.0
import { panelWidth } from '../abi.generated.ts'

/** More than any memory holds, since addresses have 32 bits. Counts stop here, so that no product loses precision. */
export const tooMany = 2 ** 33

/** A range of bytes, `end` excluded. */
export interface Extent {
  readonly start: number
  readonly end: number
}

/** a · b, at most `tooMany`. Negative factors count as `tooMany`: what they would address is out of reach. */
export function times(...factors: readonly number[]): number {
  let product = 1
  for (const factor of factors) product = factor < 0 ? tooMany : Math.min(product * factor, tooMany)
  return product
}

export function plus(a: number, b: number): number {
  return Math.min(a + b, tooMany)
}

export function extentOf(address: number, elementCount: number, elementSizeBytes: number): Extent {
  return { start: address, end: plus(address, times(elementCount, elementSizeBytes)) }
}

/** Rows of so many float columns, a gap between each and the next. */
export function rowsExtent(address: number, rowCount: number, columnCount: number, gap: number): Extent {
  return extentOf(address, plus(times(rowCount, columnCount), times(Math.max(rowCount - 1, 0), gap)), 4)
}

export function fits(extent: Extent, memorySizeBytes: number, alignment: number): boolean {
  return extent.end <= memorySizeBytes && extent.start % alignment === 0
}

export function apart(a: Extent, b: Extent): boolean {
  return a.end <= b.start || b.end <= a.start || a.start === a.end || b.start === b.end
}

/** In place or apart, nothing between. */
export function apartOrSame(a: Extent, b: Extent): boolean {
  return apart(a, b) || (a.start === b.start && a.end === b.end)
}

/** Columns rounded up to whole panels. */
export function packedColumns(columnCount: number): number {
  return Math.ceil(columnCount / panelWidth) * panelWidth
}

/** Elements from the first to the last that non-negative strides reach; 0 where a dimension is 0. */
export function reach(dims: readonly number[], strides: readonly number[]): number {
  let count = 1
  for (const [d, dim] of dims.entries()) {
    if (dim === 0) return 0
    count = plus(count, times(dim - 1, strides[d] as number))
  }
  return count
}

/** Whether strides are those of a dense tensor of these dims, dimensions of 1 aside. */
export function isDense(dims: readonly number[], strides: readonly number[]): boolean {
  let stride = 1
  for (let d = dims.length - 1; d >= 0; d--) {
    if (dims[d] !== 1 && strides[d] !== stride) return false
    stride = times(stride, dims[d] as number)
  }
  return true
}

/** The bytes that a box of signed strides covers; null where it leaves the memory or is not aligned. */
export function boxExtent(
  address: number,
  dims: readonly number[],
  strides: readonly number[],
  elementSizeBytes: number,
  memorySizeBytes: number,
): Extent | null {
  if (address > memorySizeBytes || address % elementSizeBytes !== 0) return null
  if (dims.includes(0)) return { start: address, end: address }
  let before = 0
  let after = 0
  for (const [d, dim] of dims.entries()) {
    const stride = strides[d] as number
    if (stride >= 0) after = plus(after, times(dim - 1, stride))
    else before = plus(before, times(dim - 1, -stride))
  }
  const start = address - times(before, elementSizeBytes)
  const { end } = extentOf(address, plus(after, 1), elementSizeBytes)
  return start >= 0 && end <= memorySizeBytes ? { start, end } : null
}
