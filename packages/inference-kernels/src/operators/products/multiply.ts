// SPDX-License-Identifier: Apache-2.0

/** A matrix inside an array: element (i, j) is at `at + i * row + j * column`. */
export interface Matrix {
  readonly data: Float32Array
  readonly at: number
  readonly row: number
  readonly column: number
}

/** Where a product goes: its rows are contiguous. Integers that fit float32 keep exact sums of up to 2^53, modulo 2^32. */
export interface Target {
  readonly data: Float32Array | Int32Array
  readonly at: number
  readonly row: number
}

/** Columns that are worked out together. */
const width = 4
/** From this many rows on, a copy of columns that lie apart pays for itself. */
const packedFrom = 4

/** Copies columns `j` to `j + width` of B side by side; columns past the last one are zeros. */
function packColumns(panel: Float32Array, b: Matrix, j: number, innerCount: number, count: number): void {
  for (let c = 0; c < width; c++) {
    let from = b.at + (j + c) * b.column
    for (let k = 0, to = c; k < innerCount; k++, to += width, from += b.row) {
      panel[to] = c < count ? (b.data[from] as number) : 0
    }
  }
}

/**
 * out = scale · A B, or out + scale · A B. Sums are kept in double precision and rounded once.
 * @param a rowCount × innerCount
 * @param b innerCount × columnCount
 */
export function multiply(
  a: Matrix,
  b: Matrix,
  out: Target,
  [rowCount, innerCount, columnCount]: readonly [rows: number, inner: number, columns: number],
  { scale = 1, isAdded = false }: { readonly scale?: number; readonly isAdded?: boolean } = {},
): void {
  if (rowCount === 0) return
  const panel = new Float32Array(innerCount * width)
  const sums = new Float64Array(2 * width)
  for (let j = 0; j < columnCount; j += width) {
    const count = Math.min(width, columnCount - j)
    const isPacked = count < width || (rowCount >= packedFrom && b.row !== 1)
    if (isPacked) packColumns(panel, b, j, innerCount, count)
    const columns: Matrix = isPacked
      ? { data: panel, at: 0, row: width, column: 1 }
      : { data: b.data, at: b.at + j * b.column, row: b.row, column: b.column }
    for (let i = 0; i < rowCount; i += 2) {
      const rows = Math.min(2, rowCount - i)
      const first = a.at + i * a.row
      if (rows === 2) sumTwoRows(a.data, first, first + a.row, a.column, columns, innerCount, sums)
      else sumRow(a.data, first, a.column, columns, innerCount, sums)
      for (let r = 0; r < rows; r++) {
        const to = out.at + (i + r) * out.row + j
        for (let c = 0; c < count; c++) {
          const value = scale * (sums[r * width + c] as number)
          out.data[to + c] = isAdded ? (out.data[to + c] as number) + value : value
        }
      }
    }
  }
}

/** Two rows of A times four columns of B. */
function sumTwoRows(
  a: Float32Array,
  firstRow: number,
  secondRow: number,
  step: number,
  b: Matrix,
  innerCount: number,
  sums: Float64Array,
): void {
  const { data, row, column } = b
  let s00 = 0
  let s01 = 0
  let s02 = 0
  let s03 = 0
  let s10 = 0
  let s11 = 0
  let s12 = 0
  let s13 = 0
  let p = firstRow
  let q = secondRow
  let at = b.at
  for (let k = 0; k < innerCount; k++) {
    const x = a[p] as number
    const y = a[q] as number
    const b0 = data[at] as number
    const b1 = data[at + column] as number
    const b2 = data[at + 2 * column] as number
    const b3 = data[at + 3 * column] as number
    s00 += x * b0
    s01 += x * b1
    s02 += x * b2
    s03 += x * b3
    s10 += y * b0
    s11 += y * b1
    s12 += y * b2
    s13 += y * b3
    p += step
    q += step
    at += row
  }
  sums[0] = s00
  sums[1] = s01
  sums[2] = s02
  sums[3] = s03
  sums[4] = s10
  sums[5] = s11
  sums[6] = s12
  sums[7] = s13
}

/** One row of A times four columns of B. */
function sumRow(
  a: Float32Array,
  start: number,
  step: number,
  b: Matrix,
  innerCount: number,
  sums: Float64Array,
): void {
  const { data, row, column } = b
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let p = start
  let at = b.at
  for (let k = 0; k < innerCount; k++) {
    const x = a[p] as number
    s0 += x * (data[at] as number)
    s1 += x * (data[at + column] as number)
    s2 += x * (data[at + 2 * column] as number)
    s3 += x * (data[at + 3 * column] as number)
    p += step
    at += row
  }
  sums[0] = s0
  sums[1] = s1
  sums[2] = s2
  sums[3] = s3
}
