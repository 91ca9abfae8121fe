// SPDX-License-Identifier: Apache-2.0
import { attributeElementCount } from '../attributes.ts'
import { badValue, mismatch } from '../fault.ts'
import type { OperandType } from '../operator.ts'
import { integerDtypes, knownNumbers, product, requireDtype } from '../support.ts'

/** A list of integers, such as axes: how many there are is known before they are. */
export interface IntegerList {
  readonly count: number
  readonly values: readonly number[] | null
}

/** An input that lists integers; null where it is not given. A scalar is a list of one. */
export function integerList(inputs: readonly (OperandType | null)[], index: number): IntegerList | null {
  const operand = inputs[index] ?? null
  if (operand === null) return null
  requireDtype(operand.dtype, integerDtypes)
  if (operand.dims.length > 1) mismatch(`input ${index} has rank ${operand.dims.length}, a list is expected`)
  const count = product(operand.dims)
  // A file may declare any length; what is made of a list is as long as it is.
  if (count > attributeElementCount) mismatch(`input ${index} lists more than ${attributeElementCount}`)
  return { count, values: knownNumbers(operand) }
}

/** An input that has to be given. */
export function requiredList(inputs: readonly (OperandType | null)[], index: number): IntegerList {
  return integerList(inputs, index) ?? mismatch(`input ${index} is missing`)
}

/** Numbers of elements along dimensions. */
export function requireSizes(sizes: readonly number[]): readonly number[] {
  if (sizes.some((size) => size < 0)) badValue('a size is negative')
  return sizes
}
