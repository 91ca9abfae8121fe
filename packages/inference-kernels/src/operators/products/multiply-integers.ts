// SPDX-License-Identifier: Apache-2.0
import type { TensorData } from '@mlcapsule/contracts'

/** Places and steps of three row-major matrices in their arrays. */
export interface IntegerProduct {
  readonly a: TensorData
  readonly aAt: number
  readonly b: TensorData
  readonly bAt: number
  readonly out: TensorData
  readonly outAt: number
  readonly sizes: readonly [rows: number, inner: number, columns: number]
}

type Narrow = Int32Array

/** out = A B of integers of up to 32 bits, modulo 2^32: what a narrower type keeps of it is right, too. */
export function multiplyNarrow({ a, aAt, b, bAt, out, outAt, sizes }: IntegerProduct): void {
  const [rowCount, innerCount, columnCount] = sizes
  const x = a as Narrow
  const y = b as Narrow
  const sums = new Int32Array(columnCount)
  for (let i = 0; i < rowCount; i++) {
    sums.fill(0)
    for (let k = 0; k < innerCount; k++) {
      const factor = x[aAt + i * innerCount + k] as number
      const from = bAt + k * columnCount
      for (let j = 0; j < columnCount; j++) {
        sums[j] = ((sums[j] as number) + Math.imul(factor, y[from + j] as number)) | 0
      }
    }
    ;(out as Narrow).set(sums, outAt + i * columnCount)
  }
}

/** As `multiplyNarrow`, of 64-bit integers and modulo 2^64. */
export function multiplyWide({ a, aAt, b, bAt, out, outAt, sizes }: IntegerProduct): void {
  const [rowCount, innerCount, columnCount] = sizes
  const x = a as BigInt64Array
  const y = b as BigInt64Array
  for (let i = 0; i < rowCount; i++) {
    for (let j = 0; j < columnCount; j++) {
      let sum = 0n
      for (let k = 0; k < innerCount; k++) {
        sum += (x[aAt + i * innerCount + k] as bigint) * (y[bAt + k * columnCount + j] as bigint)
      }
      ;(out as BigInt64Array)[outAt + i * columnCount + j] = sum
    }
  }
}
