// SPDX-License-Identifier: Apache-2.0
import { type DType, elementSizeBytes, type Tensor, viewTensorData } from '@mlcapsule/contracts'
import type { AttributeValue } from '../attributes.ts'
import { completeAttributes } from '../operator.ts'
import { operatorOf } from '../registry.ts'
import { runOperator } from '../testing.ts'

/** A tensor of the given elements. */
export function tensor(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  const data = viewTensorData(
    dtype,
    new ArrayBuffer(values.length * elementSizeBytes(dtype)),
    0,
    values.length,
  )
  const isBig = dtype === 'int64' || dtype === 'uint64'
  for (const [i, value] of values.entries())
    (data as BigInt64Array)[i] = (isBig ? BigInt(value) : value) as bigint
  return { dtype, shape, data }
}

export const float32 = (shape: readonly number[], values: readonly number[]) =>
  tensor('float32', shape, values)
export const int64 = (shape: readonly number[], values: readonly number[]) => tensor('int64', shape, values)

/** A vector of int64, such as axes. */
export const list = (...values: readonly number[]) => int64([values.length], values)

/** 0, 1, 2, … */
export const counting = (...shape: readonly number[]) =>
  float32(
    shape,
    Array.from({ length: shape.reduce((count, dim) => count * dim, 1) }, (_, i) => i),
  )

/** Dims and elements of the results, as numbers. */
export function results(
  name: string,
  inputs: readonly (Tensor | null)[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  outputCount = 1,
): readonly (readonly [readonly number[], readonly number[]])[] {
  return runOperator(name, inputs, attributes, outputCount).map(({ shape, data }) => [
    shape,
    Array.from(data as Float32Array, Number),
  ])
}

/** Dims of the results while the elements of some inputs are not known. */
export function unknownDims(
  name: string,
  inputs: readonly (Tensor | null)[],
  unknown: readonly number[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  outputCount = 1,
): readonly (readonly (number | null)[])[] {
  const operator = operatorOf(name)
  if (operator === undefined) throw new TypeError(`no operator ${name}`)
  const operands = inputs.map(
    (it, i) => it && { dtype: it.dtype, dims: it.shape, data: unknown.includes(i) ? null : it.data },
  )
  const complete = completeAttributes(operator, attributes) as never
  return operator.infer({ inputs: operands, attributes: complete, outputCount }).map(({ dims }) => dims)
}
