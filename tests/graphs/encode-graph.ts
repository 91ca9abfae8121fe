// SPDX-License-Identifier: Apache-2.0
import type { DType, Tensor } from '@mlcapsule/contracts'
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  create,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  toBinary,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '@mlcapsule/model-graph/onnx-proto'
import type { FuzzAttribute, FuzzGraph } from './fuzz-graph.ts'

const elementTypes: Readonly<Partial<Record<DType, DataType>>> = {
  float32: DataType.FLOAT,
  int64: DataType.INT64,
  int32: DataType.INT32,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
  bool: DataType.BOOL,
}

const typeOf = (dtype: DType) => elementTypes[dtype] as DataType

function tensorProto(name: string, { dtype, shape, data }: Tensor): TensorProto {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
  return create(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType: typeOf(dtype), rawData })
}

function attributeProto(name: string, value: FuzzAttribute): AttributeProto {
  const attribute = (fields: Parameters<typeof create<typeof AttributeProtoSchema>>[1]) =>
    create(AttributeProtoSchema, { name, ...fields } as typeof fields)
  if (typeof value === 'number') return attribute({ type: AttributeType.INT, i: BigInt(value) })
  if (typeof value === 'string')
    return attribute({ type: AttributeType.STRING, s: new TextEncoder().encode(value) })
  if ('float' in value) return attribute({ type: AttributeType.FLOAT, f: value.float })
  if ('dtype' in value) return attribute({ type: AttributeType.TENSOR, t: tensorProto('', value) })
  return attribute({ type: AttributeType.INTS, ints: value.map(BigInt) })
}

function valueInfo(name: string, dtype: DType, dims: readonly (number | string)[] | null): ValueInfoProto {
  const dim = dims?.map((it) => ({
    value:
      typeof it === 'number'
        ? { case: 'dimValue' as const, value: BigInt(it) }
        : { case: 'dimParam' as const, value: it },
  }))
  const shape = dim === undefined ? {} : { shape: { dim } }
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: typeOf(dtype), ...shape } } },
  })
}

/** The bytes of an ONNX file. */
export function encodeGraph(graph: FuzzGraph): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'mlcapsule-fuzz',
    opsetImport: [{ domain: '', version: BigInt(graph.opset) }],
    graph: {
      name: 'fuzz',
      input: graph.inputs.map(({ name, tensor, declared }) => valueInfo(name, tensor.dtype, declared)),
      output: graph.outputs.map(({ name, dtype }) => valueInfo(name, dtype, null)),
      initializer: [...graph.constants].map(([name, tensor]) => tensorProto(name, tensor)),
      node: graph.nodes.map(({ op, inputs, outputs, attributes }) => ({
        opType: op,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([name, it]) => attributeProto(name, it)),
      })),
    },
  })
  return toBinary(ModelProtoSchema, model)
}
