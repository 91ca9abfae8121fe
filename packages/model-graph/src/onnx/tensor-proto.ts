// SPDX-License-Identifier: Apache-2.0
import { fromBinary } from '@bufbuild/protobuf'
import { BinaryReader } from '@bufbuild/protobuf/wire'
import {
  type DType,
  elementCount,
  elementSizeBytes,
  type Tensor,
  type TensorData,
} from '@mlcapsule/contracts'
import { ModelError, quote } from '../errors.ts'
import { type ConstantTensor, inlineConstant, newTensorData, sourceConstant } from '../graph/constant.ts'
import { checkDims, formatDims } from '../graph/dims.ts'
import type { ModelSource } from '../source/model-source.ts'
import { externalPathParts } from './external-path.ts'
import {
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from './generated/onnx_pb.ts'
import { type Payload, payloadFieldNumber } from './skim.ts'

const dtypeByNumber = new Map<number, DType>([
  [TensorProto_DataType.FLOAT, 'float32'],
  [TensorProto_DataType.DOUBLE, 'float64'],
  [TensorProto_DataType.FLOAT16, 'float16'],
  [TensorProto_DataType.INT64, 'int64'],
  [TensorProto_DataType.INT32, 'int32'],
  [TensorProto_DataType.INT8, 'int8'],
  [TensorProto_DataType.UINT8, 'uint8'],
  [TensorProto_DataType.BOOL, 'bool'],
  [TensorProto_DataType.INT16, 'int16'],
  [TensorProto_DataType.UINT16, 'uint16'],
  [TensorProto_DataType.UINT32, 'uint32'],
  [TensorProto_DataType.UINT64, 'uint64'],
])

const nameByNumber = new Map<number, string>(
  Object.entries(TensorProto_DataType).map(([name, number]) => [number, name.toLowerCase()]),
)

/** The dtype of an ONNX element type. @throws ModelError `MODEL_DTYPE_UNSUPPORTED` */
export function dtypeOf(dataType: number, what: string): DType {
  const dtype = dtypeByNumber.get(dataType)
  if (dtype !== undefined) return dtype
  const name = nameByNumber.get(dataType) ?? `number ${dataType}`
  throw new ModelError('MODEL_DTYPE_UNSUPPORTED', `${what} has element type ${name}`)
}

/** Where the payloads of a skimmed model are. */
export interface PayloadFile {
  readonly source: ModelSource
  readonly payloads: readonly Payload[]
}

const invalid = (detail: string) => new ModelError('MODEL_TENSOR_INVALID', detail)

function dimsOf(proto: TensorProto, what: string): readonly number[] {
  const dims = proto.dims.map(Number)
  checkDims(dims, what)
  return dims
}

/** The typed field that holds a dtype's elements when raw_data is empty, as ONNX lays down. */
function typedField(proto: TensorProto, dtype: DType): readonly (number | bigint)[] {
  if (dtype === 'float32') return proto.floatData
  if (dtype === 'float64') return proto.doubleData
  if (dtype === 'uint64') return proto.uint64Data
  if (dtype === 'uint32') return proto.uint64Data.map(Number)
  return dtype === 'int64' ? proto.int64Data : proto.int32Data
}

function inlineData(proto: TensorProto, dtype: DType, count: number, what: string): TensorData {
  const sizeBytes = count * elementSizeBytes(dtype)
  if (proto.rawData.length > 0) {
    if (proto.rawData.length !== sizeBytes) {
      throw invalid(`${what} needs ${sizeBytes} bytes, has ${proto.rawData.length}`)
    }
    const data = newTensorData(dtype, count)
    new Uint8Array(data.buffer).set(proto.rawData)
    return data
  }
  const field = typedField(proto, dtype)
  if (field.length !== count) throw invalid(`${what} needs ${count} elements, has ${field.length}`)
  const data = newTensorData(dtype, count)
  for (let i = 0; i < count; i++) (data as Float32Array)[i] = field[i] as number
  return data
}

function externalRange(
  proto: TensorProto,
  what: string,
): { path: string; offset: number; length: number | null } {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]))
  const integer = (key: string): number | null => {
    const text = entries.get(key)
    if (text === undefined) return null
    const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isSafeInteger(value)) throw invalid(`${what}: external ${key} is not a number of bytes`)
    return value
  }
  const path = entries.get('location')
  if (path === undefined) throw invalid(`${what}: external data without a location`)
  return {
    path: externalPathParts(path).join('/'),
    offset: integer('offset') ?? 0,
    length: integer('length'),
  }
}

async function externalConstant(
  proto: TensorProto,
  dtype: DType,
  dims: readonly number[],
  what: string,
  source: ModelSource,
): Promise<ConstantTensor> {
  const { path, offset, length } = externalRange(proto, what)
  const sizeBytes = elementCount(dims) * elementSizeBytes(dtype)
  if (source.sibling === undefined) {
    const detail = `${what} lies in ${quote(path)}, and this source has no files beside it`
    throw new ModelError('MODEL_EXTERNAL_DATA_REFUSED', detail)
  }
  if (length !== null && length !== sizeBytes)
    throw invalid(`${what} needs ${sizeBytes} bytes, external length is ${length}`)
  const file = await source.sibling(path)
  if (offset + sizeBytes > file.sizeBytes) {
    throw invalid(
      `${what} needs ${sizeBytes} bytes at ${offset} of ${quote(path)}, which has ${file.sizeBytes}`,
    )
  }
  return sourceConstant(dtype, dims, file, offset)
}

/** The index that the skimmer left for a payload, if it took one out. */
function payloadOf(proto: TensorProto, file: PayloadFile): Payload | undefined {
  const field = proto.$unknown?.find((it) => it.no === payloadFieldNumber)
  return field === undefined ? undefined : file.payloads[new BinaryReader(field.data).uint32()]
}

/**
 * A constant of the model. Large ones stay in their file.
 * @param what how to call it in messages
 * @throws ModelError `MODEL_TENSOR_INVALID`, `MODEL_DTYPE_UNSUPPORTED`, `MODEL_EXTERNAL_DATA_REFUSED`, `MODEL_TOO_LARGE`
 */
export async function constantOf(
  proto: TensorProto,
  what: string,
  file: PayloadFile,
): Promise<ConstantTensor> {
  const dtype = dtypeOf(proto.dataType, what)
  const dims = dimsOf(proto, what)
  if (proto.segment !== undefined) throw invalid(`${what} is a segment of a tensor`)
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    return externalConstant(proto, dtype, dims, what, file.source)
  }
  const payload = payloadOf(proto, file)
  if (payload === undefined)
    return inlineConstant(dtype, dims, inlineData(proto, dtype, elementCount(dims), what))
  if (proto.rawData.length > 0) throw invalid(`${what} has its data twice`)
  const fits =
    payload.field === 'raw_data' || dtype === (payload.field === 'float_data' ? 'float32' : 'float64')
  const sizeBytes = elementCount(dims) * elementSizeBytes(dtype)
  if (!fits || payload.sizeBytes !== sizeBytes) {
    throw invalid(
      `${what} with shape ${formatDims(dims)} needs ${sizeBytes} bytes, ${payload.field} has ${payload.sizeBytes}`,
    )
  }
  return sourceConstant(dtype, dims, file.source, payload.offsetBytes)
}

/**
 * Reads a TensorProto message, such as the `.pb` files that come with ONNX models as test data.
 * @throws ModelError `MODEL_PROTO_MALFORMED`, `MODEL_TENSOR_INVALID`, `MODEL_DTYPE_UNSUPPORTED`
 */
export function decodeTensorProto(bytes: Uint8Array): { readonly name: string; readonly tensor: Tensor } {
  let proto: TensorProto
  try {
    proto = fromBinary(TensorProtoSchema, bytes, { readUnknownFields: false })
  } catch (cause) {
    throw new ModelError('MODEL_PROTO_MALFORMED', 'the bytes are not a TensorProto', { cause })
  }
  const what = `tensor ${quote(proto.name)}`
  const dtype = dtypeOf(proto.dataType, what)
  const shape = dimsOf(proto, what)
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) throw invalid(`${what} lies in another file`)
  return {
    name: proto.name,
    tensor: { dtype, shape, data: inlineData(proto, dtype, elementCount(shape), what) },
  }
}
