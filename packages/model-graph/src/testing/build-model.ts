// SPDX-License-Identifier: Apache-2.0
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from '../onnx/generated/onnx_pb.ts'

/** Elements of a constant. A Uint8Array holds bools unless `dtype` says otherwise. */
export interface TestTensor {
  readonly dims: readonly number[]
  readonly data: Float32Array | BigInt64Array | Int32Array | Int8Array | Uint8Array
  readonly dtype?: 'uint8'
}

/** A graph within a node, such as the branch of an If. It may read names of the graphs around it. */
export interface TestGraph {
  readonly outputs: readonly string[]
  readonly constants?: Readonly<Record<string, TestTensor>>
  readonly nodes: readonly TestNode[]
}

/** A number is an INT, or a FLOAT with `{ float }`; a list is INTS or STRINGS. */
export type TestAttribute =
  | number
  | bigint
  | string
  | readonly number[]
  | readonly bigint[]
  | readonly string[]
  | { readonly float: number }
  | { readonly graph: TestGraph }
  | TestTensor

export interface TestNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, TestAttribute>>
  readonly domain?: string
  readonly name?: string
}

/** A node with one output, in few words; names of inputs are parted by spaces. */
export const testNode = (
  op: string,
  inputs: string,
  output: string,
  attributes: TestNode['attributes'] = {},
): TestNode => ({ op, inputs: inputs.split(' '), outputs: [output], attributes })

/** A model in few words. Inputs and outputs are float32; a string among dims is a symbolic dimension. */
export interface TestModel {
  readonly opset?: number
  /** Inputs that are bool or int64. */
  readonly inputTypes?: Readonly<Record<string, 'bool' | 'int64'>>
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>
  /** Names of outputs; dims where they should be declared. */
  readonly outputs: Readonly<Record<string, readonly (number | string)[] | null>>
  readonly constants?: Readonly<Record<string, TestTensor>>
  readonly nodes: readonly TestNode[]
}

function valueInfo(
  name: string,
  dims: readonly (number | string)[] | null,
  elemType: DataType = DataType.FLOAT,
): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = dims?.map((it) => ({
    value:
      typeof it === 'number'
        ? { case: 'dimValue' as const, value: BigInt(it) }
        : { case: 'dimParam' as const, value: it },
  }))
  const shape = dim === undefined ? {} : { shape: { dim } }
  return { name, type: { value: { case: 'tensorType', value: { elemType, ...shape } } } }
}

function dataTypeOf({ data, dtype }: TestTensor): DataType {
  if (data instanceof Float32Array) return DataType.FLOAT
  if (data instanceof Int32Array) return DataType.INT32
  if (data instanceof Int8Array) return DataType.INT8
  if (data instanceof BigInt64Array) return DataType.INT64
  return dtype === 'uint8' ? DataType.UINT8 : DataType.BOOL
}

function tensorProto(name: string, tensor: TestTensor): MessageInitShape<typeof TensorProtoSchema> {
  const { dims, data } = tensor
  return {
    name,
    dims: dims.map(BigInt),
    dataType: dataTypeOf(tensor),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice(),
  }
}

function attribute(name: string, value: TestAttribute): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number' || typeof value === 'bigint')
    return { name, type: AttributeType.INT, i: BigInt(value) }
  if (typeof value === 'string') {
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) }
  }
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float }
  if ('graph' in value) return { name, type: AttributeType.GRAPH, g: branchInit(value.graph) }
  if ('data' in value) return { name, type: AttributeType.TENSOR, t: tensorProto('', value) }
  if (value.every((it) => typeof it === 'string')) {
    return { name, type: AttributeType.STRINGS, strings: value.map((it) => new TextEncoder().encode(it)) }
  }
  return { name, type: AttributeType.INTS, ints: value.map((it) => BigInt(it)) }
}

function nodeInit(node: TestNode): MessageInitShape<typeof NodeProtoSchema> {
  return {
    opType: node.op,
    domain: node.domain ?? '',
    name: node.name ?? '',
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes ?? {}).map(([name, it]) => attribute(name, it)),
  }
}

function branchInit({
  outputs,
  constants = {},
  nodes,
}: TestGraph): MessageInitShape<typeof GraphProtoSchema> {
  return {
    name: 'branch',
    output: outputs.map((name) => ({ name })),
    initializer: Object.entries(constants).map(([name, it]) => tensorProto(name, it)),
    node: nodes.map(nodeInit),
  }
}

/** The graph alone, for tests that need to change it before it is written. */
export function graphInit(model: TestModel): MessageInitShape<typeof GraphProtoSchema> {
  return {
    name: 'test',
    input: Object.entries(model.inputs).map(([name, dims]) => {
      const type = model.inputTypes?.[name]
      return valueInfo(
        name,
        dims,
        type === undefined ? DataType.FLOAT : type === 'bool' ? DataType.BOOL : DataType.INT64,
      )
    }),
    output: Object.entries(model.outputs).map(([name, dims]) => valueInfo(name, dims)),
    initializer: Object.entries(model.constants ?? {}).map(([name, it]) => tensorProto(name, it)),
    node: model.nodes.map(nodeInit),
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
