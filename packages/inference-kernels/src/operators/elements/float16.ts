// SPDX-License-Identifier: Apache-2.0
import { float16Value } from '@mlcapsule/contracts'

let table: Float32Array | undefined

/** The value of each of the 65,536 bit patterns of IEEE 754 binary16. */
export function float16Values(): Float32Array {
  table ??= Float32Array.from({ length: 65_536 }, (_, bits) => float16Value(bits))
  return table
}

const single = new Float32Array(1)
const singleBits = new Uint32Array(single.buffer)

/** The bits of a number as binary32, with the last one set where they are not exact: so a second rounding does no harm. */
function oddRoundedBits(value: number): number {
  single[0] = value
  const rounded = single[0] as number
  const bits = singleBits[0] as number
  if (rounded === value) return bits
  return (Math.abs(rounded) > Math.abs(value) ? bits - 1 : bits) | 1
}

/** Bits of the nearest binary16, ties to even. */
export function toFloat16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const bits = oddRoundedBits(value)
  const sign = (bits >>> 16) & 0x8000
  const exponent = ((bits >>> 23) & 0xff) - 127
  if (exponent > 15) return sign | 0x7c00
  if (exponent < -25) return sign
  const isSubnormal = exponent < -14
  // Bits below the last that stays: 13, and more the smaller a subnormal number is.
  const cut = isSubnormal ? -1 - exponent : 13
  const fraction = isSubnormal ? (bits & 0x7fffff) | 0x800000 : ((exponent + 15) << 23) | (bits & 0x7fffff)
  const kept = fraction >>> cut
  const rest = fraction & ((1 << cut) - 1)
  const half = 1 << (cut - 1)
  // A carry out of the fraction raises the exponent by itself.
  return sign | (rest > half || (rest === half && kept & 1) ? kept + 1 : kept)
}
