// SPDX-License-Identifier: Apache-2.0
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { memoryModelSource } from '../source/model-source.ts'
import { TensorProto_DataType as DataType, SparseTensorProtoSchema } from './generated/onnx_pb.ts'
import { sparseConstantOf } from './sparse-tensor.ts'

const file = { source: memoryModelSource(new Uint8Array()), payloads: [] }
type Init = MessageInitShape<typeof SparseTensorProtoSchema>
const values = (...floatData: number[]) => ({
  dims: [BigInt(floatData.length)],
  dataType: DataType.FLOAT,
  floatData,
})
const indices = (dims: readonly number[], ...int64Data: number[]) => ({
  dims: dims.map(BigInt),
  dataType: DataType.INT64,
  int64Data: int64Data.map(BigInt),
})
const read = (init: Init) => sparseConstantOf(create(SparseTensorProtoSchema, init), 'the tensor', file)

describe('sparse tensors', () => {
  test.each<[string, Init]>([
    ['places', { dims: [2n, 3n], values: values(7, 8), indices: indices([2], 1, 5) }],
    ['coordinates', { dims: [2n, 3n], values: values(7, 8), indices: indices([2, 2], 0, 1, 1, 2) }],
  ])('with %s', async (_what, init) => {
    const constant = await read(init)
    expect(constant).toMatchObject({ dtype: 'float32', dims: [2, 3] })
    expect(await constant.read(0, 6)).toEqual(Float32Array.of(0, 7, 0, 0, 0, 8))
  })

  test('that are large hold what they say, not their zeros; of values in one place the last counts', async () => {
    const before = process.memoryUsage().arrayBuffers
    const init = { dims: [2n ** 26n], values: values(7, 8, 9), indices: indices([3], 50_000_000, 3, 3) }
    const constant = await read(init)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24)
    expect(await constant.read(2, 3)).toEqual(Float32Array.of(0, 9, 0))
    expect(await constant.read(4, 2)).toEqual(Float32Array.of(0, 0))
    expect(await constant.read(49_999_999, 2)).toEqual(Float32Array.of(0, 7))
  })

  test('of nothing but zeros', async () => {
    const constant = await read({ dims: [2n], values: values(), indices: indices([0]) })
    expect(await constant.read(0, 2)).toEqual(new Float32Array(2))
  })

  test.each<[string, Init, string]>([
    ['a place outside', { dims: [2n], values: values(1), indices: indices([1], 2) }, 'MODEL_TENSOR_INVALID'],
    [
      'a negative place',
      { dims: [2n], values: values(1), indices: indices([1], -1) },
      'MODEL_TENSOR_INVALID',
    ],
    [
      'a coordinate outside',
      { dims: [2n, 2n], values: values(1), indices: indices([1, 2], 0, 2) },
      'MODEL_TENSOR_INVALID',
    ],
    [
      'too few indices',
      { dims: [2n], values: values(1, 2), indices: indices([1], 0) },
      'MODEL_TENSOR_INVALID',
    ],
    ['no indices', { dims: [2n], values: values(1) }, 'MODEL_TENSOR_INVALID'],
    [
      'indices that are floats',
      { dims: [2n], values: values(1), indices: values(0) },
      'MODEL_TENSOR_INVALID',
    ],
    [
      'a size out of proportion',
      { dims: [2n ** 30n], values: values(1), indices: indices([1], 0) },
      'MODEL_TOO_LARGE',
    ],
  ])('refuses %s', async (_what, init, code) => {
    await expect(read(init)).rejects.toMatchObject({ code })
  })
})
