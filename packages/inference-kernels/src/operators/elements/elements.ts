// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { mismatch } from '../fault.ts'
import type { Operand } from '../operator.ts'
import { isBigInt, required } from '../support.ts'

/** An operand's elements as an array of numbers. Where they are BigInts, whoever computes with them has to know. */
export function elementsOf(operand: Operand): Float32Array {
  return operand.data as Float32Array
}

/** Elements of a result that is to be written. */
export function writable(outputs: readonly Operand[], index = 0): Float32Array {
  return elementsOf(required(outputs, index))
}

/** A function of two elements for each way of holding numbers; the result is wrapped when it is stored. */
export interface NumberKinds<Apply> {
  readonly float: Apply
  /** Of 32 bits or less. */
  readonly integer: Apply
  /** Typed as for numbers, so that one loop serves all. */
  readonly bigint: Apply
}

export function kindFor<Apply>(kinds: NumberKinds<Apply>, dtype: DType): Apply {
  if (isBigInt(dtype)) return kinds.bigint
  return dtype === 'float32' ? kinds.float : kinds.integer
}

/** The one element of an operand that stands for a number. */
export function requireSingle(operand: { readonly dims: readonly number[] }, what: string): void {
  if (operand.dims.some((dim) => dim !== 1)) mismatch(`${what} does not have one element`)
}

/** Rounds to the nearest integer, halves to the even one. */
export function roundHalfEven(x: number): number {
  const up = Math.round(x)
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up
}
