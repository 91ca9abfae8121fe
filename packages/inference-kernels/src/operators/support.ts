// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import { broadcastDims } from '../program/broadcast.ts'
import { mismatch, unsupported } from './fault.ts'
import type { OperandType, ResultType } from './operator.ts'

/** An input that has to be there. */
export function required<T>(inputs: readonly (T | null)[], index: number): T {
  return inputs[index] ?? mismatch(`input ${index} is missing`)
}

export function result(dtype: DType, dims: readonly (number | null)[]): ResultType {
  return { dtype, dims }
}

export const product = (dims: readonly number[]): number => dims.reduce((count, dim) => count * dim, 1)

export const showDims = (dims: readonly (number | null)[]): string =>
  `[${dims.map((d) => d ?? '?').join(', ')}]`

/** An axis in 0 … rank-1; negative ones count from the end. */
export function normalAxis(axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(normal) || normal < 0 || normal >= rank)
    mismatch(`axis ${axis} of a tensor of rank ${rank}`)
  return normal
}

/** Distinct axes in rising order. */
export function normalAxes(axes: readonly number[], rank: number): number[] {
  const normal = axes.map((axis) => normalAxis(axis, rank)).sort((a, b) => a - b)
  if (new Set(normal).size !== normal.length) mismatch(`an axis is named twice in ${showDims(axes)}`)
  return normal
}

/** Elements from one index to the next along each dimension, row-major. */
export function rowMajorStrides(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length)
  let stride = 1
  for (let d = dims.length - 1; d >= 0; d--) {
    strides[d] = stride
    stride *= dims[d] as number
  }
  return strides
}

/** Strides of an operand seen in `dims`, right-aligned: 0 where it repeats. */
export function repeatStrides(own: readonly number[], dims: readonly number[]): number[] {
  const strides = rowMajorStrides(own)
  return dims.map((_, d) => {
    const at = d - (dims.length - own.length)
    return at < 0 || own[at] === 1 ? 0 : (strides[at] as number)
  })
}

/** Dims of several tensors broadcast together. */
export function broadcastAll(list: readonly (readonly number[])[]): readonly number[] {
  return list.reduce(
    (all, dims) =>
      broadcastDims(all, dims) ?? mismatch(`${showDims(all)} and ${showDims(dims)} do not broadcast`),
  )
}

/**
 * Calls `visit` for each index of a box in row-major order, with the place that each list of strides gives.
 * @param strides one list per operand
 * @param visit gets the running number of the index and the places; the array of places is the same each time
 */
export function walk(
  dims: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (at: number, places: readonly number[]) => void,
): void {
  const count = product(dims)
  const places = strides.map(() => 0)
  const index = dims.map(() => 0)
  for (let at = 0; at < count; at++) {
    visit(at, places)
    for (let d = dims.length - 1; d >= 0; d--) {
      index[d] = (index[d] as number) + 1
      for (const [i, list] of strides.entries()) places[i] = (places[i] as number) + (list[d] as number)
      if ((index[d] as number) < (dims[d] as number)) break
      for (const [i, list] of strides.entries()) {
        places[i] = (places[i] as number) - (list[d] as number) * (dims[d] as number)
      }
      index[d] = 0
    }
  }
}

/** Elements as numbers. 64-bit integers beyond 2^53 lose precision: fit for axes, sizes and indices. */
export function numbersOf(data: TensorData): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number)
}

/** Elements of an integer operand whose contents are known, or null. */
export function knownNumbers(operand: OperandType | null | undefined): readonly number[] | null {
  return operand?.data == null ? null : numbersOf(operand.data)
}

export function requireSameDtype(a: DType, b: DType): void {
  if (a !== b) mismatch(`operands of dtype ${a} and ${b}`)
}

/** Refuses a dtype that an operator does not compute with. */
export function requireDtype(dtype: DType, allowed: readonly DType[]): void {
  if (!allowed.includes(dtype)) unsupported(`dtype ${dtype}; supported are ${allowed.join(', ')}`)
}

export const isBigInt = (dtype: DType): boolean => dtype === 'int64' || dtype === 'uint64'
export const integerDtypes = [
  'int64',
  'int32',
  'int16',
  'int8',
  'uint64',
  'uint32',
  'uint16',
  'uint8',
] as const
export const numericDtypes = ['float32', ...integerDtypes] as const
/** What operators compute with. */
export const computedDtypes = [...numericDtypes, 'bool'] as const
