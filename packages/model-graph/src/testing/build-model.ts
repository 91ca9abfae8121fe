// SPDX-License-Identifier: Apache-2.0
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProtoSchema,
  ModelProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from '../onnx/generated/onnx_pb.ts'

/** Elements of a constant: floats, or integers of 64 bits. */
export interface TestTensor {
  readonly dims: readonly number[]
  readonly data: Float32Array | BigInt64Array
}

/** A number is an INT, or a FLOAT with `{ float }`; a list is INTS or STRINGS. */
export type TestAttribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | TestTensor

export interface TestNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, TestAttribute>>
  readonly domain?: string
  readonly name?: string
}

/** A model in few words. Inputs and outputs are float32; a string among dims is a symbolic dimension. */
export interface TestModel {
  readonly opset?: number
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>
  /** Names of outputs; dims where they should be declared. */
  readonly outputs: Readonly<Record<string, readonly (number | string)[] | null>>
  readonly constants?: Readonly<Record<string, TestTensor>>
  readonly nodes: readonly TestNode[]
}

function valueInfo(
  name: string,
  dims: readonly (number | string)[] | null,
): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = dims?.map((it) => ({
    value:
      typeof it === 'number'
        ? { case: 'dimValue' as const, value: BigInt(it) }
        : { case: 'dimParam' as const, value: it },
  }))
  const shape = dim === undefined ? {} : { shape: { dim } }
  return { name, type: { value: { case: 'tensorType', value: { elemType: DataType.FLOAT, ...shape } } } }
}

function tensorProto(name: string, { dims, data }: TestTensor): MessageInitShape<typeof TensorProtoSchema> {
  return {
    name,
    dims: dims.map(BigInt),
    dataType: data instanceof Float32Array ? DataType.FLOAT : DataType.INT64,
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice(),
  }
}

function attribute(name: string, value: TestAttribute): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: BigInt(value) }
  if (typeof value === 'string') {
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) }
  }
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float }
  if ('data' in value) return { name, type: AttributeType.TENSOR, t: tensorProto('', value) }
  if (value.every((it) => typeof it === 'string')) {
    return { name, type: AttributeType.STRINGS, strings: value.map((it) => new TextEncoder().encode(it)) }
  }
  return { name, type: AttributeType.INTS, ints: value.map(BigInt) }
}

/** The graph alone, for tests that need to change it before it is written. */
export function graphInit(model: TestModel): MessageInitShape<typeof GraphProtoSchema> {
  return {
    name: 'test',
    input: Object.entries(model.inputs).map(([name, dims]) => valueInfo(name, dims)),
    output: Object.entries(model.outputs).map(([name, dims]) => valueInfo(name, dims)),
    initializer: Object.entries(model.constants ?? {}).map(([name, it]) => tensorProto(name, it)),
    node: model.nodes.map((node) => ({
      opType: node.op,
      domain: node.domain ?? '',
      name: node.name ?? '',
      input: [...node.inputs],
      output: [...node.outputs],
      attribute: Object.entries(node.attributes ?? {}).map(([name, it]) => attribute(name, it)),
    })),
  }
}

/** The bytes of an ONNX file. */
export function buildModel(model: TestModel): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      producerName: 'mlcapsule-testing',
      opsetImport: [{ domain: '', version: BigInt(model.opset ?? 17) }],
      graph: graphInit(model),
    }),
  )
}
