// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import { type ConstantTensor, newTensorData } from './constant.ts'

const half = new Float32Array(65_536)
let isHalfTableReady = false

/** Value of each bit pattern of IEEE 754 binary16. */
function halfTable(): Float32Array {
  if (isHalfTableReady) return half
  for (let bits = 0; bits < half.length; bits++) {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 0x1f
    const fraction = bits & 0x3ff
    if (exponent === 0) half[bits] = sign * fraction * 2 ** -24
    else if (exponent === 31) half[bits] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
    else half[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  }
  isHalfTableReady = true
  return half
}

/** Bits of the nearest binary16, ties to even. */
function toHalfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (size >= 65_520) return sign | 0x7c00
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1)))
  const scaled = size / 2 ** (exponent - 10)
  const floor = Math.floor(scaled)
  const rest = scaled - floor
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
  // A carry out of the fraction raises the exponent by itself.
  return sign | (rounded < 1024 ? rounded : rounded + ((exponent + 14) << 10))
}

const integerBits: Partial<Record<DType, number>> = {
  int32: 32,
  int16: 16,
  int8: 8,
  uint32: 32,
  uint16: 16,
  uint8: 8,
}

function convert(data: TensorData, from: DType, to: DType): TensorData {
  const out = newTensorData(to, data.length)
  const table = from === 'float16' ? halfTable() : null
  for (let i = 0; i < data.length; i++) {
    const raw = data[i] as number | bigint
    const value = table === null ? Number(raw) : (table[raw as number] as number)
    if (to === 'int64' || to === 'uint64')
      (out as BigInt64Array)[i] = typeof raw === 'bigint' ? raw : toBigInt(value)
    else if (to === 'bool') out[i] = value === 0 ? 0 : 1
    else if (to === 'float16') out[i] = toHalfBits(value)
    else if (integerBits[to] !== undefined) {
      // Integers wrap; the typed array does it for what fits a safe integer, the low bits are taken for the rest.
      out[i] = typeof raw === 'bigint' ? Number(BigInt.asIntN(32, raw)) : value
    } else out[i] = value
  }
  return out
}

function toBigInt(value: number): bigint {
  if (Number.isNaN(value)) return 0n
  const clamped = Math.min(Math.max(Math.trunc(value), -(2 ** 63)), 2 ** 63 - 1024)
  return BigInt(clamped)
}

/** The same elements in another dtype, converted as they are read. */
export function castConstant(constant: ConstantTensor, to: DType): ConstantTensor {
  const one = (value: number | bigint): number | bigint => {
    const data = newTensorData(constant.dtype, 1)
    ;(data as Float32Array)[0] = value as number
    return convert(data, constant.dtype, to)[0] as number | bigint
  }
  return {
    dtype: to,
    dims: constant.dims,
    splat: constant.splat === null ? null : one(constant.splat),
    transposeOf: null,
    read: async (start, count) => convert(await constant.read(start, count), constant.dtype, to),
  }
}

/** The dtype that a model's values have while they are computed with: half and double precision become single. */
export function computedDtype(dtype: DType): DType {
  return dtype === 'float16' || dtype === 'float64' ? 'float32' : dtype
}

/** A constant in the dtype that it is computed with. */
export function computedConstant(constant: ConstantTensor): ConstantTensor {
  const dtype = computedDtype(constant.dtype)
  return dtype === constant.dtype ? constant : castConstant(constant, dtype)
}
