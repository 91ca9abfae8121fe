// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import { convertElements } from '@mlcapsule/inference-kernels/program'
import { type ConstantTensor, derivedConstant, newTensorData } from './constant.ts'

function convert(data: TensorData, from: DType, to: DType): TensorData {
  const out = newTensorData(to, data.length)
  convertElements(data, from, out, to)
  return out
}

/** The same elements in another dtype, converted as they are read, as Cast converts them. */
export function castConstant(constant: ConstantTensor, to: DType): ConstantTensor {
  const one = (value: number | bigint): number | bigint => {
    const data = newTensorData(constant.dtype, 1)
    ;(data as Float32Array)[0] = value as number
    return convert(data, constant.dtype, to)[0] as number | bigint
  }
  return derivedConstant(constant, {
    dtype: to,
    dims: constant.dims,
    splat: constant.splat === null ? null : one(constant.splat),
    read: async (start, count) => convert(await constant.read(start, count), constant.dtype, to),
  })
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
