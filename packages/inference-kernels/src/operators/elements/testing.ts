// SPDX-License-Identifier: Apache-2.0
import { type DType, elementCount, elementSizeBytes, type Tensor, viewTensorData } from '@mlcapsule/contracts'
import type { AttributeValue } from '../attributes.ts'
import { runOperator } from '../testing.ts'

/** A tensor of the elements given, which are wrapped or rounded as the dtype has it. */
export function tensor(
  dtype: DType,
  shape: readonly number[],
  elements: readonly (number | bigint)[],
): Tensor {
  const count = elementCount(shape)
  if (elements.length !== count) throw new RangeError(`${elements.length} elements for ${count}`)
  const data = viewTensorData(dtype, new ArrayBuffer(count * elementSizeBytes(dtype)), 0, count)
  data.set(elements as never)
  return { dtype, shape, data }
}

export const floats = (shape: readonly number[], elements: readonly number[]): Tensor =>
  tensor('float32', shape, elements)

/** A list of one dimension. */
export const list = (dtype: DType, elements: readonly (number | bigint)[]): Tensor =>
  tensor(dtype, [elements.length], elements)

/** Dtype, shape and elements of an operator's first result. */
export function outcome(
  name: string,
  inputs: readonly (Tensor | null)[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): { dtype: DType; shape: readonly number[]; elements: readonly (number | bigint)[] } {
  const [{ dtype, shape, data }] = runOperator(name, inputs, attributes) as [Tensor]
  return { dtype, shape, elements: Array.from(data as ArrayLike<number | bigint>) }
}

/** Elements alone. */
export const elementsOfResult = (...call: Parameters<typeof outcome>): readonly (number | bigint)[] =>
  outcome(...call).elements
