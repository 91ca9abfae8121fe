// SPDX-License-Identifier: Apache-2.0
import { type DType, elementCount, elementSizeBytes, type TensorData } from '@mlcapsule/contracts'
import { ModelError } from '../errors.ts'
import { type ConstantTensor, newTensorData, readWhole } from '../graph/constant.ts'
import { checkDims, formatDims } from '../graph/dims.ts'
import { modelLimits } from '../limits.ts'
import type { SparseTensorProto } from './generated/onnx_pb.ts'
import { constantOf, type PayloadFile } from './tensor-proto.ts'

const invalid = (detail: string) => new ModelError('MODEL_TENSOR_INVALID', detail)

/**
 * A sparse tensor, whose zeros are made as they are read. Its indices are places in row-major order, or a row of coordinates for each
 * value, as ONNX's SparseTensorProto lays down.
 * @param what how to call it in messages
 * @throws ModelError `MODEL_TENSOR_INVALID`, `MODEL_TOO_LARGE`, and those of `constantOf`
 */
export async function sparseConstantOf(
  proto: SparseTensorProto,
  what: string,
  file: PayloadFile,
): Promise<ConstantTensor> {
  if (proto.values === undefined || proto.indices === undefined)
    throw invalid(`${what} lacks values or indices`)
  const dims = proto.dims.map(Number)
  checkDims(dims, what)
  const values = await constantOf(proto.values, `values of ${what}`, file)
  const indices = await constantOf(proto.indices, `indices of ${what}`, file)
  const valueCount = elementCount(values.dims)
  const coordinateCount = indices.dims.length === 2 ? dims.length : 1
  const expected = indices.dims.length === 2 ? [valueCount, dims.length] : [valueCount]
  if (indices.dtype !== 'int64' || values.dims.length !== 1 || indices.dims.join() !== expected.join()) {
    const detail = `values ${formatDims(values.dims)} and indices ${formatDims(indices.dims)} do not go together`
    throw invalid(`${what}: ${detail}`)
  }
  const count = elementCount(dims)
  if (count * elementSizeBytes(values.dtype) > modelLimits.wholeConstantSizeBytes) {
    throw new ModelError(
      'MODEL_TOO_LARGE',
      `${what} with shape ${formatDims(dims)} is too large with its zeros`,
    )
  }
  const sizes = indices.dims.length === 2 ? dims : [count]
  const [given, coordinates] = await Promise.all([readWhole(values), readWhole(indices)])
  const places = new Float64Array(valueCount)
  for (let n = 0; n < valueCount; n++) {
    let place = 0
    for (let d = 0; d < coordinateCount; d++) {
      const index = Number(coordinates[n * coordinateCount + d])
      const size = sizes[d] as number
      if (index < 0 || index >= size) throw invalid(`${what}: index ${index} of a dimension of ${size}`)
      place = place * size + index
    }
    places[n] = place
  }
  return spread(values.dtype, dims, given, places)
}

/** The elements at their places, and zeros everywhere else; the last of those in one place counts. */
function spread(
  dtype: DType,
  dims: readonly number[],
  elements: TensorData,
  places: Float64Array,
): ConstantTensor {
  const placeAt = (n: number) => places[n] as number
  const order = [...places.keys()].sort((a, b) => placeAt(a) - placeAt(b))
  /** How many of the order come before a place. */
  const countBefore = (place: number): number => {
    let [low, high] = [0, order.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (placeAt(order[middle] as number) < place) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    dtype,
    dims,
    splat: null,
    transposeOf: null,
    async read(start, count) {
      const data = newTensorData(dtype, count)
      for (const n of order.slice(countBefore(start), countBefore(start + count))) {
        ;(data as Float32Array)[placeAt(n) - start] = elements[n] as number
      }
      return data
    },
  }
}
