// SPDX-License-Identifier: Apache-2.0
// How sums of products of quantized numbers are quantized again: rounded to float32 as the kernels on bytes round, so that
// both give the same bytes.
import { roundHalfEven } from '../elements/elements.ts'

const { fround } = Math

/** What a sum is to be multiplied by, from the scales of both operands and of the result. */
export function requantizationFactor(a: number, b: number, result: number): number {
  return fround(fround(a * b) / result)
}

/** @param sum int32 */
export function requantized(sum: number, factor: number): number {
  return roundHalfEven(fround(fround(sum) * factor))
}
