// SPDX-License-Identifier: Apache-2.0
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from '@mlcapsule/model-graph/onnx-proto'

type Dims = readonly (number | string)[]
type Attributes = Readonly<Record<string, number | readonly number[] | { readonly float: number }>>

const irVersion = 8n
const opsetVersion = 17n

/** Collects the parts of an ONNX graph and writes them; a string among dims is a symbolic dimension. */
export class OnnxWriter {
  readonly #nodes: MessageInitShape<typeof NodeProtoSchema>[] = []
  readonly #initializers: MessageInitShape<typeof TensorProtoSchema>[] = []
  readonly #inputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = []
  readonly #outputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = []

  /** Adds a node of one output. @returns the output's name */
  node(op: string, inputs: readonly string[], output: string, attributes: Attributes = {}): string {
    this.nodes(op, inputs, [output], attributes)
    return output
  }

  nodes(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes = {},
  ): void {
    const attribute = Object.entries(attributes).map(([name, value]) => toAttribute(name, value))
    this.#nodes.push({
      opType: op,
      name: outputs[0] as string,
      input: [...inputs],
      output: [...outputs],
      attribute,
    })
  }

  floats(name: string, dims: readonly number[], values: Float32Array): string {
    const view = new DataView(new ArrayBuffer(values.length * 4))
    for (const [index, value] of values.entries()) view.setFloat32(index * 4, value, true)
    return this.#initializer(name, dims, DataType.FLOAT, new Uint8Array(view.buffer))
  }

  integers(name: string, dims: readonly number[], values: readonly number[]): string {
    const view = new DataView(new ArrayBuffer(values.length * 8))
    for (const [index, value] of values.entries()) view.setBigInt64(index * 8, BigInt(value), true)
    return this.#initializer(name, dims, DataType.INT64, new Uint8Array(view.buffer))
  }

  input(name: string, dims: Dims, elemType: DataType = DataType.FLOAT): string {
    this.#inputs.push(toValueInfo(name, dims, elemType))
    return name
  }

  output(name: string, dims: Dims): void {
    this.#outputs.push(toValueInfo(name, dims, DataType.FLOAT))
  }

  /** The bytes of the file. */
  finish(name: string, docString: string): Uint8Array {
    const model = create(ModelProtoSchema, {
      irVersion,
      opsetImport: [{ domain: '', version: opsetVersion }],
      producerName: `mlcapsule-${name}`,
      producerVersion: '1',
      modelVersion: 1n,
      docString,
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    })
    return toBinary(ModelProtoSchema, model)
  }

  #initializer(name: string, dims: readonly number[], dataType: DataType, rawData: Uint8Array): string {
    this.#initializers.push({
      name,
      dims: dims.map(BigInt),
      dataType,
      rawData: rawData as Uint8Array<ArrayBuffer>,
    })
    return name
  }
}

function toAttribute(name: string, value: Attributes[string]): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: BigInt(value) }
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float }
  return { name, type: AttributeType.INTS, ints: value.map(BigInt) }
}

function toValueInfo(
  name: string,
  dims: Dims,
  elemType: DataType,
): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = dims.map((it) => ({
    value:
      typeof it === 'number'
        ? { case: 'dimValue' as const, value: BigInt(it) }
        : { case: 'dimParam' as const, value: it },
  }))
  return { name, type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } } }
}
