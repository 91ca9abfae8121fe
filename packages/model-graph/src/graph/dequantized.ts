// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import { type ConstantTensor, derivedConstant } from './constant.ts'

/**
 * The float32 numbers that a constant of integers stands for, worked out as they are read.
 * @param scales one for all, or one for each index of `axis`
 * @param zeroPoints as many, or none
 */
export function dequantizedConstant(
  constant: ConstantTensor,
  axis: number,
  scales: readonly number[],
  zeroPoints: readonly number[],
): ConstantTensor {
  const innerCount = elementCount(constant.dims.slice(axis + 1))
  return derivedConstant(constant, {
    dtype: 'float32',
    dims: constant.dims,
    splat: null,
    async read(start, count) {
      const integers = await constant.read(start, count)
      const data = new Float32Array(count)
      for (let i = 0; i < count; i++) {
        const slice = scales.length === 1 ? 0 : Math.floor((start + i) / innerCount) % scales.length
        data[i] = (Number(integers[i]) - (zeroPoints[slice] ?? 0)) * (scales[slice] as number)
      }
      return data
    },
  })
}
