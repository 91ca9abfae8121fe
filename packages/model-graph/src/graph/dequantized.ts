// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import { type ConstantTensor, derivedConstant } from './constant.ts'

/** Integers, and what they stand for: (integer - zero point) * scale. */
export interface QuantizedOrigin {
  readonly integers: ConstantTensor
  /** Of the integers: along it scales and zero points change. */
  readonly axis: number
  /** One for all, or one for each index of `axis`. */
  readonly scales: readonly number[]
  /** As many, or none: 0. */
  readonly zeroPoints: readonly number[]
}

/** What float constants were before they were dequantized. */
const origins = new WeakMap<ConstantTensor, QuantizedOrigin>()

/** The integers behind a constant of float32; null where there are none. */
export function quantizedOriginOf(constant: ConstantTensor): QuantizedOrigin | null {
  return origins.get(constant) ?? null
}

/** Remembers the integers behind a constant whose elements were worked out elsewhere. */
export function rememberOrigin(constant: ConstantTensor, origin: QuantizedOrigin): void {
  origins.set(constant, origin)
}

/** The float32 numbers that a constant of integers stands for, worked out as they are read. */
export function dequantizedConstant(origin: QuantizedOrigin): ConstantTensor {
  const { integers, axis, scales, zeroPoints } = origin
  const innerCount = elementCount(integers.dims.slice(axis + 1))
  const constant = derivedConstant(integers, {
    dtype: 'float32',
    dims: integers.dims,
    splat: null,
    async read(start, count) {
      const from = await integers.read(start, count)
      const data = new Float32Array(count)
      for (let i = 0; i < count; i++) {
        const slice = scales.length === 1 ? 0 : Math.floor((start + i) / innerCount) % scales.length
        data[i] = (Number(from[i]) - (zeroPoints[slice] ?? 0)) * (scales[slice] as number)
      }
      return data
    },
  })
  rememberOrigin(constant, origin)
  return constant
}
