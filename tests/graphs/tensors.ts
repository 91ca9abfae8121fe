// SPDX-License-Identifier: Apache-2.0
import { type DType, elementSizeBytes, type Tensor, viewTensorData } from '@mlcapsule/contracts'

/** A tensor of the given elements. */
export function tensorOf(dtype: DType, shape: readonly number[], elements: readonly number[]): Tensor {
  const buffer = new ArrayBuffer(elements.length * elementSizeBytes(dtype))
  const data = viewTensorData(dtype, buffer, 0, elements.length)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.set(elements.map(BigInt))
  else data.set(elements)
  return { dtype, shape, data }
}
