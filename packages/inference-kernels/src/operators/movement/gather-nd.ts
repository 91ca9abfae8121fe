// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand, type OperandType } from '../operator.ts'
import { product, requireDtype, required, result, rowMajorStrides, showDims } from '../support.ts'
import { normalIndex } from './gather.ts'

/** Dims of the blocks that tuples of indices name, after `batchDims` leading dimensions that both operands share. */
export function blockDims(data: OperandType, indices: OperandType, batchDims: number): readonly number[] {
  requireDtype(indices.dtype, ['int64', 'int32'])
  const depth = indices.dims.at(-1)
  const isFitting =
    depth !== undefined &&
    batchDims >= 0 &&
    batchDims < indices.dims.length &&
    batchDims + depth <= data.dims.length &&
    indices.dims.slice(0, batchDims).every((dim, d) => dim === data.dims[d])
  if (!isFitting) mismatch(`indices ${showDims(indices.dims)} do not go with ${showDims(data.dims)}`)
  return data.dims.slice(batchDims + depth)
}

/** Element of the data at which the block of each tuple of indices starts. */
export function blockPlaces(data: OperandType, indices: Operand, batchDims: number): Float64Array {
  const depth = indices.dims.at(-1) as number
  const strides = rowMajorStrides(data.dims)
  const batchCount = product(indices.dims.slice(0, batchDims))
  const perBatch = product(indices.dims.slice(batchDims, -1))
  const batchStride = product(data.dims.slice(batchDims))
  const places = new Float64Array(batchCount * perBatch)
  for (let n = 0; n < places.length; n++) {
    let place = Math.floor(n / perBatch) * batchStride
    for (let k = 0; k < depth; k++) {
      const index = normalIndex(Number(indices.data[n * depth + k]), data.dims[batchDims + k] as number)
      place += index * (strides[batchDims + k] as number)
    }
    places[n] = place
  }
  return places
}

/** The block of the data that each tuple of indices, the last dimension of the second input, names. */
export const gatherNd = defineOperator({
  name: 'GatherND',
  inputCount: [2, 2],
  attributes: { batch_dims: int(0) },
  infer({ inputs, attributes: { batch_dims: batchDims } }) {
    const x = required(inputs, 0)
    const indices = required(inputs, 1)
    const block = blockDims(x, indices, batchDims)
    return [result(x.dtype, [...indices.dims.slice(0, -1), ...block])]
  },
  run({ inputs, outputs, attributes: { batch_dims: batchDims } }) {
    const x = required(inputs, 0)
    const indices = required(inputs, 1)
    const size = product(blockDims(x, indices, batchDims))
    const places = blockPlaces(x, indices, batchDims)
    const source = x.data as Float32Array
    const target = required(outputs, 0).data as Float32Array
    for (let n = 0; n < places.length; n++) {
      const from = places[n] as number
      if (size === 1) target[n] = source[from] as number
      else target.set(source.subarray(from, from + size), n * size)
    }
  },
})
