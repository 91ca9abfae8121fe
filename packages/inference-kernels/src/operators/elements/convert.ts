// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import { isBigInt } from '../support.ts'
import { float16Values, toFloat16Bits } from './float16.ts'

/** A number as a 64-bit integer: cut toward 0, held within what doubles of that range reach; NaN becomes 0. */
export function toBigInteger(value: number, dtype: DType): bigint {
  if (Number.isNaN(value)) return 0n
  const most = dtype === 'uint64' ? 2 ** 64 - 2048 : 2 ** 63 - 1024
  return BigInt(Math.min(Math.max(Math.trunc(value), -(2 ** 63)), most))
}

function decodeFloat16(data: Uint16Array): Float32Array {
  const values = float16Values()
  const out = new Float32Array(data.length)
  for (let i = 0; i < out.length; i++) out[i] = values[data[i] as number] as number
  return out
}

/**
 * Converts elements of any dtype to another. Integers wrap, floats are cut toward 0, whatever is not 0 is true, and float16 is
 * rounded to the nearest, ties to even.
 * @param out as many elements of dtype `to`
 */
export function convertElements(data: TensorData, from: DType, out: TensorData, to: DType): void {
  const source = data as ArrayLike<number | bigint>
  if (from === to) {
    out.set(data as never)
  } else if (from === 'float16') {
    convertElements(decodeFloat16(data as Uint16Array), 'float32', out, to)
  } else if (to === 'bool') {
    const zero = isBigInt(from) ? 0n : 0
    for (let i = 0; i < out.length; i++) out[i] = source[i] === zero ? 0 : 1
  } else if (to === 'float16') {
    for (let i = 0; i < out.length; i++) out[i] = toFloat16Bits(Number(source[i]))
  } else if (isBigInt(from) === isBigInt(to)) {
    out.set(data as never)
  } else if (isBigInt(to)) {
    for (let i = 0; i < out.length; i++) (out as BigInt64Array)[i] = toBigInteger(source[i] as number, to)
  } else if (to === 'float32' || to === 'float64') {
    for (let i = 0; i < out.length; i++) out[i] = Number(source[i])
  } else {
    for (let i = 0; i < out.length; i++) out[i] = Number(BigInt.asIntN(32, source[i] as bigint))
  }
}
