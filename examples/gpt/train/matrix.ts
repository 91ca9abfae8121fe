// SPDX-License-Identifier: Apache-2.0

/** A matrix by rows. */
export interface Matrix {
  readonly rowCount: number
  readonly columnCount: number
  readonly data: Float32Array
}

export function zeros(rowCount: number, columnCount: number): Matrix {
  return { rowCount, columnCount, data: new Float32Array(rowCount * columnCount) }
}

/** sum += a · b: [n, k] · [k, m]. */
export function addProduct(sum: Matrix, a: Matrix, b: Matrix): void {
  const [inner, columns] = [a.columnCount, b.columnCount]
  for (let row = 0; row < a.rowCount; row++) {
    const to = sum.data.subarray(row * columns, (row + 1) * columns)
    for (let k = 0; k < inner; k++) {
      const factor = a.data[row * inner + k] as number
      if (factor === 0) continue
      const at = k * columns
      for (let column = 0; column < columns; column++) {
        to[column] = (to[column] as number) + factor * (b.data[at + column] as number)
      }
    }
  }
}

/** sum += aᵀ · b: [k, n]ᵀ · [k, m]. */
export function addTransposedProduct(sum: Matrix, a: Matrix, b: Matrix): void {
  const [rows, columns] = [a.columnCount, b.columnCount]
  for (let k = 0; k < a.rowCount; k++) {
    const from = b.data.subarray(k * columns, (k + 1) * columns)
    for (let row = 0; row < rows; row++) {
      const factor = a.data[k * rows + row] as number
      if (factor === 0) continue
      const at = row * columns
      for (let column = 0; column < columns; column++) {
        sum.data[at + column] = (sum.data[at + column] as number) + factor * (from[column] as number)
      }
    }
  }
}

/** aᵀ, in memory of its own. */
export function transposed({ rowCount, columnCount, data }: Matrix): Matrix {
  const result = zeros(columnCount, rowCount)
  for (let row = 0; row < rowCount; row++) {
    for (let column = 0; column < columnCount; column++) {
      result.data[column * rowCount + row] = data[row * columnCount + column] as number
    }
  }
  return result
}
