// SPDX-License-Identifier: Apache-2.0
import type { TensorData } from '@mlcapsule/contracts'
import { flag, float } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand, type TensorType } from '../operator.ts'
import {
  broadcastAll,
  isBigInt,
  numericDtypes,
  product,
  repeatStrides,
  requireDtype,
  required,
  requireSameDtype,
  result,
  showDims,
} from '../support.ts'
import { multiply } from './multiply.ts'
import { multiplyNarrow, multiplyWide } from './multiply-integers.ts'

function matrixSizes({ dims }: TensorType, isTransposed: boolean): readonly [rows: number, columns: number] {
  if (dims.length !== 2) mismatch(`an operand has shape ${showDims(dims)}, expected a matrix`)
  const [first, second] = dims as [number, number]
  return isTransposed ? [second, first] : [first, second]
}

function transposed(data: TensorData, [rows, columns]: readonly [rows: number, columns: number]): TensorData {
  const out = data.slice()
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[i * columns + j] = data[j * rows + i] as never
  }
  return out
}

/** alpha · A B + beta · C of matrices; C broadcasts to the product. Of integers, alpha and beta have to be whole numbers. */
export const gemm = defineOperator({
  name: 'Gemm',
  inputCount: [2, 3],
  attributes: { alpha: float(1), beta: float(1), transA: flag(false), transB: flag(false) },
  infer({ inputs, attributes: { alpha, beta, transA, transB } }) {
    const a = required(inputs, 0)
    const b = required(inputs, 1)
    const c = inputs[2] ?? null
    requireDtype(a.dtype, numericDtypes)
    requireSameDtype(a.dtype, b.dtype)
    if (a.dtype !== 'float32' && !(Number.isInteger(alpha) && Number.isInteger(beta)))
      mismatch(`alpha ${alpha} and beta ${beta} of ${a.dtype}`)
    const [rows, inner] = matrixSizes(a, transA)
    const [inner2, columns] = matrixSizes(b, transB)
    if (inner !== inner2) mismatch(`an inner dimension is ${inner} in A and ${inner2} in B`)
    if (c !== null) {
      requireSameDtype(a.dtype, c.dtype)
      const dims = broadcastAll([[rows, columns], c.dims])
      if (dims.length !== 2 || dims[0] !== rows || dims[1] !== columns)
        mismatch(`C of ${showDims(c.dims)} does not broadcast to ${showDims([rows, columns])}`)
    }
    return [result(a.dtype, [rows, columns])]
  },
  run({ inputs, outputs, attributes: { alpha, beta, transA, transB } }) {
    const a = required(inputs, 0)
    const b = required(inputs, 1)
    const c = inputs[2] ?? null
    const out = outputs[0] as Operand
    const sizesA = matrixSizes(a, transA)
    const sizesB = matrixSizes(b, transB)
    const [rows, inner] = sizesA
    const columns = sizesB[1]
    if (a.dtype !== 'float32') {
      const multiplyIntegers = isBigInt(a.dtype) ? multiplyWide : multiplyNarrow
      multiplyIntegers({
        a: transA ? transposed(a.data, sizesA) : a.data,
        aAt: 0,
        b: transB ? transposed(b.data, sizesB) : b.data,
        bAt: 0,
        out: out.data,
        outAt: 0,
        sizes: [rows, inner, columns],
      })
      addIntegers(out, c, alpha, beta)
      return
    }
    const target = out.data as Float32Array
    const isAdded = c !== null && beta !== 0
    if (isAdded) spread(target, out.dims, c, beta)
    multiply(
      { data: a.data as Float32Array, at: 0, row: transA ? 1 : inner, column: transA ? rows : 1 },
      { data: b.data as Float32Array, at: 0, row: transB ? 1 : columns, column: transB ? inner : 1 },
      { data: target, at: 0, row: columns },
      [rows, inner, columns],
      { scale: alpha, isAdded },
    )
  },
})

function spread(out: Float32Array, dims: readonly number[], c: Operand, factor: number): void {
  const [rows, columns] = dims as [number, number]
  const [down, right] = repeatStrides(c.dims, dims) as [number, number]
  const from = c.data as Float32Array
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      out[i * columns + j] = factor * (from[i * down + j * right] as number)
    }
  }
}

function addIntegers(out: Operand, c: Operand | null, alpha: number, beta: number): void {
  const columns = out.dims[1] as number
  const [down, right] = c === null ? [0, 0] : (repeatStrides(c.dims, out.dims) as [number, number])
  const count = product(out.dims)
  const bits = isBigInt(out.dtype) ? 64 : 32
  for (let at = 0; at < count; at++) {
    const from = Math.trunc(at / columns) * down + (at % columns) * right
    const added = c === null ? 0n : BigInt(c.data[from] as number | bigint)
    const sum = BigInt(alpha) * BigInt(out.data[at] as number | bigint) + BigInt(beta) * added
    const wrapped = BigInt.asIntN(bits, sum)
    out.data[at] = (bits === 64 ? wrapped : Number(wrapped)) as never
  }
}
