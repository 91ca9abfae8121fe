// SPDX-License-Identifier: Apache-2.0
import { create } from '@bufbuild/protobuf'
import type { DType } from '@mlcapsule/contracts'
import { ModelError, quote } from '../errors.ts'
import { type ConstantTensor, inlineConstant } from '../graph/constant.ts'
import { formatDims } from '../graph/dims.ts'
import type { Dim, Value } from '../graph/graph.ts'
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
} from '../onnx/generated/onnx_pb.ts'
import { AttributeReader } from '../ops/attributes.ts'
import { NodeContext } from '../ops/context.ts'
import type { GraphBuilder } from '../ops/graph-builder.ts'
import { maximumOpset, operators } from '../ops/registry.ts'

/** A number is an INT, or a FLOAT as `{ float }`; a list is INTS, or STRINGS, or FLOATS as `{ floats }`. */
export type CallAttribute =
  | number
  | boolean
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }

const encoder = new TextEncoder()

function attributeProto(name: string, value: CallAttribute): AttributeProto {
  const proto = (type: AttributeType, rest: object) => create(AttributeProtoSchema, { name, type, ...rest })
  if (typeof value === 'number' || typeof value === 'boolean')
    return proto(AttributeType.INT, { i: BigInt(value) })
  if (typeof value === 'string') return proto(AttributeType.STRING, { s: encoder.encode(value) })
  if ('float' in value) return proto(AttributeType.FLOAT, { f: value.float })
  if ('floats' in value) return proto(AttributeType.FLOATS, { floats: [...value.floats] })
  if (typeof value[0] === 'string') {
    return proto(AttributeType.STRINGS, { strings: value.map((it) => encoder.encode(String(it))) })
  }
  return proto(AttributeType.INTS, { ints: value.map(BigInt) })
}

/** Builds a part of the graph out of ONNX operators, by the same importers that ONNX models take. */
export class OnnxCalls {
  readonly builder: GraphBuilder
  /** The node or layer of the model, for messages. */
  readonly origin: string

  constructor(builder: GraphBuilder, origin: string) {
    this.builder = builder
    this.origin = origin
  }

  #context(
    opType: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, CallAttribute>>,
    outputCount: number,
  ): NodeContext {
    return new NodeContext(this.builder, {
      opset: maximumOpset,
      opType,
      origin: this.origin,
      inputs,
      outputCount,
      attributes: new AttributeReader(
        Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
      ),
      attributeConstants: new Map(),
    })
  }

  get #plain(): NodeContext {
    return this.#context('', [], {}, 1)
  }

  /** The first `outputCount` results of an ONNX operator of the newest operator set. */
  outputs(
    opType: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, CallAttribute>>,
    outputCount: number,
  ): readonly Value[] {
    const definition = operators.get(opType)
    if (definition === undefined) this.unsupported(`needs ${opType}, which is not supported`)
    const ctx = this.#context(opType, inputs, attributes, outputCount)
    const result = definition.import(ctx)
    ctx.attributes.refuseUnread()
    return Array.isArray(result) ? result : [result as Value]
  }

  call(
    opType: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, CallAttribute>> = {},
  ): Value {
    return this.outputs(opType, inputs, attributes, 1)[0] as Value
  }

  unsupported(reason: string): never {
    return this.#plain.unsupported(reason)
  }

  mismatch(detail: string): never {
    return this.#plain.mismatch(detail)
  }

  invalid(detail: string): never {
    throw new ModelError('MODEL_GRAPH_INVALID', `${this.origin}: ${detail}`)
  }

  /** Elements of a small constant, or of a shape, that are known; null where they are not. */
  known(value: Value): readonly Dim[] | null {
    return this.builder.probes.known(value)
  }

  /** Elements that have to be known as integers. */
  numbers(value: Value, what: string): readonly number[] {
    return this.knownNumbers(value, what).map((it) => this.integer(it, what))
  }

  /** A number that has to be an integer. @throws ModelError `MODEL_GRAPH_INVALID` */
  integer(value: number, what: string): number {
    return Number.isInteger(value) ? value : this.invalid(`${what} is ${value}, not an integer`)
  }

  /** Elements that have to be known as numbers. */
  knownNumbers(value: Value, what: string): readonly number[] {
    const elements = this.known(value)
    if (elements === null) this.unsupported(`${what} must be a small constant`)
    return elements.map((it) =>
      typeof it === 'number' ? it : this.unsupported(`${what} depends on the dimension ${quote(it)}`),
    )
  }

  /** The one element of a value that has to be known as an integer. */
  number(value: Value, what: string): number {
    return this.integer(this.knownNumber(value, what), what)
  }

  /** The one element of a value that has to be known. */
  knownNumber(value: Value, what: string): number {
    const elements = this.knownNumbers(value, what)
    return elements.length === 1
      ? (elements[0] as number)
      : this.mismatch(`${what} has ${elements.length} elements, expected one`)
  }

  /** A dimension that has to be known. */
  size(value: Value, axis: number): number {
    const dim = value.dims.at(axis)
    return typeof dim === 'number'
      ? dim
      : this.unsupported(`dimension ${axis} of ${formatDims(value.dims)} must be known`)
  }

  axis(axis: number, rank: number): number {
    return this.#plain.axis(axis, rank)
  }

  /** A list of int64. */
  integers(values: readonly number[]): Value {
    return this.#plain.integers(values)
  }

  /** One number without dimensions. */
  scalar(value: number, dtype: DType = 'float32'): Value {
    return dtype === 'float32' ? this.#plain.scalar(value) : this.#plain.integers([value], [], dtype)
  }

  /** A list of float32. */
  floats(values: readonly number[]): Value {
    const data = Float32Array.from(values)
    const value = this.constant(inlineConstant('float32', [data.length], data))
    this.builder.probes.setContents(value, data)
    return value
  }

  constant(constant: ConstantTensor): Value {
    return this.#plain.constant(constant)
  }

  cast(value: Value, to: DType): Value {
    return value.dtype === to ? value : this.#plain.operator('Cast', [value], { to })
  }

  /** A list of int64, of however many dimensions it was. */
  indexList(value: Value): Value {
    const list = this.cast(value, 'int64')
    return list.dims.length === 1 ? list : this.reshape(list, [-1])
  }

  transpose(value: Value, perm: readonly number[]): Value {
    return this.call('Transpose', [value], { perm })
  }

  /** -1 stands for what is left, 0 for the dimension of the input at that place. */
  reshape(value: Value, target: readonly number[]): Value {
    return this.call('Reshape', [value, this.integers(target)])
  }

  squeeze(value: Value, axes: readonly number[]): Value {
    return this.call('Squeeze', [value, this.integers(axes)])
  }

  unsqueeze(value: Value, axes: readonly number[]): Value {
    return this.call('Unsqueeze', [value, this.integers(axes)])
  }
}
