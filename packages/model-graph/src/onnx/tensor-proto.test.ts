// SPDX-License-Identifier: Apache-2.0
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { isMlCapsuleError } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryModelSource } from '../source/model-source.ts'
import { TensorProto_DataType as DataType, TensorProtoSchema } from './generated/onnx_pb.ts'
import { constantOf, decodeTensorProto } from './tensor-proto.ts'

const encode = (init: MessageInitShape<typeof TensorProtoSchema>) =>
  toBinary(TensorProtoSchema, create(TensorProtoSchema, init))

describe('decodeTensorProto', () => {
  test.each([
    ['float_data', DataType.FLOAT, { floatData: [1.5, -2] }, 'float32', [1.5, -2]],
    [
      'raw_data',
      DataType.FLOAT,
      { rawData: new Uint8Array(new Float32Array([1.5, -2]).buffer) },
      'float32',
      [1.5, -2],
    ],
    ['double_data', DataType.DOUBLE, { doubleData: [0.1, 3] }, 'float64', [0.1, 3]],
    ['int64_data', DataType.INT64, { int64Data: [-1n, 2n ** 62n] }, 'int64', [-1n, 2n ** 62n]],
    ['uint64_data', DataType.UINT64, { uint64Data: [7n, 2n ** 63n] }, 'uint64', [7n, 2n ** 63n]],
    ['uint64_data as uint32', DataType.UINT32, { uint64Data: [7n, 2n ** 31n] }, 'uint32', [7, 2 ** 31]],
    ['int32_data', DataType.INT32, { int32Data: [-1, 7] }, 'int32', [-1, 7]],
    ['int32_data as int8', DataType.INT8, { int32Data: [-1, 7] }, 'int8', [-1, 7]],
    ['int32_data as uint8', DataType.UINT8, { int32Data: [255, 7] }, 'uint8', [255, 7]],
    ['int32_data as bool', DataType.BOOL, { int32Data: [1, 0] }, 'bool', [1, 0]],
    [
      'int32_data as bits of float16',
      DataType.FLOAT16,
      { int32Data: [0x3c00, 0xc000] },
      'float16',
      [0x3c00, 0xc000],
    ],
  ])('reads %s', (_name, dataType, data, dtype, elements) => {
    const { name, tensor } = decodeTensorProto(encode({ name: 't', dims: [2n], dataType, ...data }))
    expect(name).toBe('t')
    expect(tensor.dtype).toBe(dtype)
    expect(tensor.shape).toEqual([2])
    expect([...tensor.data]).toEqual(elements)
  })

  test('a scalar has no dimensions and one element', () => {
    const { tensor } = decodeTensorProto(encode({ dataType: DataType.FLOAT, floatData: [4] }))
    expect(tensor).toEqual({ dtype: 'float32', shape: [], data: new Float32Array([4]) })
  })

  test.each([
    [
      'too few bytes',
      { dims: [2n], dataType: DataType.FLOAT, rawData: new Uint8Array(4) },
      'MODEL_TENSOR_INVALID',
    ],
    ['too few elements', { dims: [2n], dataType: DataType.FLOAT, floatData: [1] }, 'MODEL_TENSOR_INVALID'],
    ['no elements', { dims: [2n], dataType: DataType.FLOAT }, 'MODEL_TENSOR_INVALID'],
    ['a negative dimension', { dims: [-2n], dataType: DataType.FLOAT }, 'MODEL_SHAPE_MISMATCH'],
    [
      'dimensions that overflow',
      { dims: [2n ** 40n, 2n ** 40n], dataType: DataType.FLOAT },
      'MODEL_TOO_LARGE',
    ],
    [
      'huge dimensions beside a zero',
      { dims: [0n, 2n ** 62n], dataType: DataType.FLOAT },
      'MODEL_SHAPE_MISMATCH',
    ],
    ['nine dimensions', { dims: new Array(9).fill(1n), dataType: DataType.FLOAT }, 'MODEL_TOO_LARGE'],
    ['strings', { dims: [1n], dataType: DataType.STRING }, 'MODEL_DTYPE_UNSUPPORTED'],
    ['an unknown type', { dims: [1n], dataType: 99 }, 'MODEL_DTYPE_UNSUPPORTED'],
  ])('refuses %s', (_what, init, code) => {
    expect(() => decodeTensorProto(encode(init))).toThrow(expect.objectContaining({ code }))
  })

  test('never fails without a code', () => {
    const seed = encode({ name: 't', dims: [3n], dataType: DataType.FLOAT, floatData: [1, 2, 3] })
    const mutated = fc.tuple(fc.nat(seed.length - 1), fc.nat(255)).map(([at, value]) => {
      const copy = seed.slice()
      copy[at] = value
      return copy
    })
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        try {
          decodeTensorProto(bytes)
        } catch (error) {
          if (!isMlCapsuleError(error)) throw error
        }
      }),
      { numRuns: process.env.SLOW === '1' ? 50_000 : 500 },
    )
  })
})

describe('external data', () => {
  const proto = (entries: Record<string, string>) =>
    create(TensorProtoSchema, {
      dims: [2n],
      dataType: DataType.FLOAT,
      dataLocation: 1,
      externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    })
  const bytes = new Uint8Array(new Float32Array([9, 1, 2]).buffer)
  const source = memoryModelSource(new Uint8Array(0), new Map([['data/w.bin', bytes]]))
  const read = async (entries: Record<string, string>) => {
    const constant = await constantOf(proto(entries), 'w', { source, payloads: [] })
    return [...(await constant.read(0, 2))]
  }

  test('is read from the file beside the model', async () => {
    expect(await read({ location: 'data/w.bin', offset: '4', length: '8' })).toEqual([1, 2])
    expect(await read({ location: './data/w.bin' })).toEqual([9, 1])
  })

  test.each([
    ['../w.bin'],
    ['data/../../w.bin'],
    ['/etc/passwd'],
    ['C:\\w.bin'],
    ['data\\w.bin'],
    ['file:w.bin'],
    ['data//w.bin'],
    ['data/./w.bin'],
    ['w\0.bin'],
    [''],
    ['.'],
  ])('refuses the path %j', async (location) => {
    await expect(read({ location })).rejects.toMatchObject({ code: 'MODEL_EXTERNAL_DATA_REFUSED' })
  })

  test.each([
    ['a range beyond the file', { location: 'data/w.bin', offset: '8' }],
    ['a length that is not the size of the tensor', { location: 'data/w.bin', length: '4' }],
    ['a negative offset', { location: 'data/w.bin', offset: '-4' }],
    ['an offset that is not a safe integer', { location: 'data/w.bin', offset: '9007199254740993' }],
    ['no location', { offset: '0' }],
  ])('refuses %s', async (_what, entries) => {
    await expect(read(entries)).rejects.toMatchObject({ code: 'MODEL_TENSOR_INVALID' })
  })

  test('refuses a source without other files', async () => {
    const { sibling: _, ...lonely } = source
    const constant = constantOf(proto({ location: 'w.bin' }), 'w', { source: lonely, payloads: [] })
    await expect(constant).rejects.toMatchObject({ code: 'MODEL_EXTERNAL_DATA_REFUSED' })
  })
})
