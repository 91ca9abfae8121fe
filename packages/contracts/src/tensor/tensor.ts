// SPDX-License-Identifier: Apache-2.0
import { ContractError } from '../errors.ts'
import { type DType, dtypes, isTensorDataOf, type TensorData } from './dtype.ts'

/** Describes an input or output of a model. A string in `shape` names a dimension that may differ from query to query. */
export interface TensorSpec {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly (number | string)[]
}

/** A dense tensor, row-major, in the order of its ONNX dimensions. A scalar has shape `[]` and one element. */
export interface Tensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: TensorData
}

/** No tensor of ours has more dimensions. */
export const maxRank = 8

/** Product of the dimensions; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let count = 1
  for (const dimension of shape) count *= dimension
  return count
}

/**
 * Checks that dtype, shape and data belong together.
 * @param field how the caller calls the tensor, for the message
 * @throws ContractError `CONTRACT_TENSOR_INVALID`
 */
export function assertTensor(tensor: Tensor, field: string): void {
  const fail = (detail: string): never => {
    throw new ContractError('CONTRACT_TENSOR_INVALID', `${field}: ${detail}`, { field })
  }
  if (tensor.shape.length > maxRank) fail(`rank is ${tensor.shape.length}, at most ${maxRank} is supported`)
  for (const dimension of tensor.shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      fail(`dimension ${dimension} is not a non-negative integer`)
    }
  }
  if (!dtypes.includes(tensor.dtype)) fail(`the dtype is none of ${dtypes.join(', ')}`)
  if (!isTensorDataOf(tensor.dtype, tensor.data)) fail(`data is not the typed array of ${tensor.dtype}`)
  const expected = elementCount(tensor.shape)
  if (!Number.isSafeInteger(expected)) fail('the element count overflows')
  if (tensor.data.length !== expected) {
    fail(`shape [${tensor.shape.join(', ')}] has ${expected} elements, data has ${tensor.data.length}`)
  }
}
