// SPDX-License-Identifier: Apache-2.0
import { type DType, elementSizeBytes } from '@mlcapsule/contracts'
import { isBigInt } from '../support.ts'

/** Least and greatest value of a dtype: a number, or a BigInt for integers of 64 bits. */
export function rangeOf(dtype: DType): readonly [least: number | bigint, most: number | bigint] {
  if (dtype === 'float32') return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  if (dtype === 'bool') return [0, 1]
  const bitCount = BigInt(elementSizeBytes(dtype) * 8)
  const isUnsigned = dtype.startsWith('u')
  const least = isUnsigned ? 0n : -(2n ** (bitCount - 1n))
  const most = isUnsigned ? 2n ** bitCount - 1n : 2n ** (bitCount - 1n) - 1n
  return isBigInt(dtype) ? [least, most] : [Number(least), Number(most)]
}
