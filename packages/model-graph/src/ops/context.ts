// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import { type AttributeValue, broadcastDims as broadcastKnown } from '@mlcapsule/inference-kernels/program'
import { ModelError, quote } from '../errors.ts'
import { computedDtype } from '../graph/cast.ts'
import {
  type ConstantTensor,
  inlineConstant,
  newTensorData,
  permuteElements,
  reshapedConstant,
  splatConstant,
  transposedConstant,
} from '../graph/constant.ts'
import { broadcastDims, checkDims, formatDims, sameDims, sameElementCount } from '../graph/dims.ts'
import { type Attributes, type Dim, type GraphNode, isUnknown, type Op, type Value } from '../graph/graph.ts'
import { dtypeOf } from '../onnx/tensor-proto.ts'
import type { AttributeReader } from './attributes.ts'
import type { GraphBuilder } from './graph-builder.ts'
import { UnsupportedNode } from './unsupported.ts'

/** What the importer of an operator gets to see of one node, and the operations that it may emit for it. */
export class NodeContext {
  /** Version of the operator set of the node's domain. */
  readonly opset: number
  readonly opType: string
  readonly attributes: AttributeReader
  readonly inputs: readonly (Value | null)[]
  readonly outputCount: number
  readonly #builder: GraphBuilder
  readonly #origin: string
  readonly #attributeConstants: ReadonlyMap<string, ConstantTensor>

  constructor(
    builder: GraphBuilder,
    node: {
      readonly opset: number
      readonly opType: string
      readonly origin: string
      readonly inputs: readonly (Value | null)[]
      readonly outputCount: number
      readonly attributes: AttributeReader
      readonly attributeConstants: ReadonlyMap<string, ConstantTensor>
    },
  ) {
    this.#builder = builder
    this.#origin = node.origin
    this.#attributeConstants = node.attributeConstants
    this.opset = node.opset
    this.opType = node.opType
    this.inputs = node.inputs
    this.outputCount = node.outputCount
    this.attributes = node.attributes
  }

  unsupported(reason: string): never {
    throw new UnsupportedNode(reason)
  }

  mismatch(detail: string): never {
    throw new ModelError('MODEL_SHAPE_MISMATCH', `${this.#origin}: ${detail}`)
  }

  optional(index: number): Value | null {
    return this.inputs[index] ?? null
  }

  input(index: number): Value {
    const value = this.optional(index)
    if (value !== null) return value
    throw new ModelError('MODEL_GRAPH_INVALID', `${this.#origin} lacks input ${index}`)
  }

  /** An input to compute with: float32. */
  float(index: number): Value {
    return this.requireFloat(this.input(index))
  }

  requireFloat(value: Value): Value {
    if (value.dtype !== 'float32') {
      throw new UnsupportedNode(
        `computes with ${value.dtype}, only float32 is supported`,
        'MODEL_DTYPE_UNSUPPORTED',
      )
    }
    return value
  }

  /** A constant input, such as weights. */
  constantInput(index: number, what: string): Value & { readonly constant: ConstantTensor } {
    const value = this.input(index)
    if (value.constant === null) this.unsupported(`${what} (input ${index}) must be constant`)
    return value as Value & { readonly constant: ConstantTensor }
  }

  /** The elements of a small constant, or of a shape computed from symbolic dimensions; null where they are not known. */
  known(value: Value): readonly Dim[] | null {
    return this.#builder.probes.known(value)
  }

  /**
   * Whether kernels in C can take the values: float32, and no dimension of 0. Not where all of them are known from constants
   * and shapes: their result is known too, as long as an operator gives it. Others go to `operator`.
   */
  fitsKernels(...values: readonly Value[]): boolean {
    const { probes } = this.#builder
    const isFromShapes =
      values.some((it) => probes.isFromShapes(it)) &&
      values.every((it) => it.constant !== null || probes.isFromShapes(it))
    return !isFromShapes && values.every(({ dtype, dims }) => dtype === 'float32' && !dims.includes(0))
  }

  /** Whether all elements are known at import, if only for given sizes of symbolic dimensions: operators then go on so. */
  isTraced(...values: readonly Value[]): boolean {
    return values.every((value) => this.#builder.probes.isTraced(value))
  }

  /** Elements of a small constant integer input. */
  ints(index: number, what: string): readonly Dim[] {
    const values = this.known(this.input(index))
    if (values === null) this.unsupported(`${what} (input ${index}) must be a small constant`)
    return values
  }

  /** As `ints`, without symbolic elements. */
  numbers(index: number, what: string): readonly number[] {
    return this.ints(index, what).map((it) =>
      typeof it === 'number'
        ? it
        : this.unsupported(`${what} depends on the symbolic dimension ${quote(it)}`),
    )
  }

  /** The dtype that an attribute names, as it is computed with: float32 for float16 and float64. */
  dtypeAttribute(name: string, otherwise: DType): DType {
    const number = this.attributes.int(name, 0)
    return number === 0 ? otherwise : computedDtype(dtypeOf(number, `attribute ${quote(name)}`))
  }

  /** The tensor of an attribute that holds one, dense or sparse. */
  attributeConstant(name: string): ConstantTensor | undefined {
    const constant = this.#attributeConstants.get(name)
    if (constant !== undefined) this.attributes.ignore(name)
    return constant
  }

  /** Axis in 0 … rank-1; negative ones count from the end. */
  axis(axis: number, rank: number): number {
    const normal = axis < 0 ? axis + rank : axis
    if (!Number.isInteger(normal) || normal < 0 || normal >= rank)
      this.mismatch(`axis ${axis} of a tensor of rank ${rank}`)
    return normal
  }

  emit<K extends Op>(
    op: K,
    attributes: Attributes[K],
    inputs: readonly (Value | null)[],
    dims: readonly Dim[],
  ): Value {
    checkDims(dims, this.#origin)
    if (dims.includes(0)) this.unsupported(`its result ${formatDims(dims)} is empty`)
    const dtype = (inputs[0] as Value).dtype
    const output: Value = { name: this.#origin, dtype, dims, constant: null }
    this.#builder.nodes.push({ op, attributes, inputs, output, origin: this.#origin } as unknown as GraphNode)
    return output
  }

  /**
   * One of the engine's operators, with the dims, dtypes and, where all that it reads is known, the elements that it gives.
   * @param attributes those that differ from the operator's defaults
   */
  operator(
    name: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): Value {
    return this.operatorOutputs(name, inputs, attributes, 1)[0] as Value
  }

  /** As `operator`, with the first `outputCount` outputs. */
  operatorOutputs(
    name: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputCount: number,
  ): readonly Value[] {
    return this.#builder.operator(name, inputs, attributes, outputCount, this.#origin)
  }

  /** Types that `operatorOutputs` would give, without a node for it. */
  resultTypes(
    name: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputCount: number,
  ): readonly { readonly dtype: DType; readonly dims: readonly Dim[] }[] {
    return this.#builder.types(name, inputs, attributes, outputCount, this.#origin)
  }

  /** As `resultTypes`, the dims of the first output. */
  resultDims(
    name: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): readonly Dim[] {
    return this.resultTypes(name, inputs, attributes, 1)[0]?.dims ?? []
  }

  /** Dims of an elementwise result, right-aligned. */
  broadcast(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] {
    const dims =
      broadcastDims(a, b) ??
      this.#builder.probes.mapDims([a, b], ([x, y]) => broadcastKnown(x as number[], y as number[])) ??
      this.#broadcastUnknown(a, b)
    return dims ?? this.mismatch(`${formatDims(a)} and ${formatDims(b)} cannot be broadcast together`)
  }

  /** Where no size that was tried goes together: what nobody knows is what the other operand asks for, or 1. */
  #broadcastUnknown(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] | null {
    const rank = Math.max(a.length, b.length)
    const dims: Dim[] = []
    for (let axis = 0; axis < rank; axis++) {
      const [m = 1, n = 1] = [a[axis - rank + a.length], b[axis - rank + b.length]]
      if (m === n || n === 1) dims.push(m)
      else if (m === 1) dims.push(n)
      else if (typeof m === 'number' && isUnknown(n)) dims.push(m)
      else if (typeof n === 'number' && isUnknown(m)) dims.push(n)
      else if (isUnknown(m) || isUnknown(n)) dims.push(this.#builder.probes.newUnknown())
      else return null
    }
    return dims
  }

  constant(constant: ConstantTensor): Value {
    checkDims(constant.dims, this.#origin)
    return { name: this.#origin, dtype: constant.dtype, dims: constant.dims, constant }
  }

  /** A constant with its elements, where they are known. */
  #withContents(constant: ConstantTensor, contents: TensorData | null): Value {
    const value = this.constant(constant)
    if (contents !== null) this.#builder.probes.setContents(value, contents)
    return value
  }

  scalar(value: number): Value {
    const scalar = this.constant(splatConstant('float32', [], Math.fround(value)))
    this.#builder.probes.setContents(scalar, Float32Array.of(value))
    return scalar
  }

  /** A constant scalar of any dtype. */
  filled(dtype: DType, value: number | bigint): Value {
    const data = newTensorData(dtype, 1)
    data[0] = (
      data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(value) : value
    ) as number
    const scalar = this.constant(inlineConstant(dtype, [], data))
    this.#builder.probes.setContents(scalar, data)
    return scalar
  }

  /** A constant list of floats. */
  floats(values: readonly number[]): Value {
    const data = Float32Array.from(values)
    const list = this.constant(inlineConstant('float32', [data.length], data))
    this.#builder.probes.setContents(list, data)
    return list
  }

  /** A constant of integers. */
  integers(
    values: readonly number[],
    dims: readonly number[] = [values.length],
    dtype: DType = 'int64',
  ): Value {
    const data = newTensorData(dtype, values.length)
    for (const [i, value] of values.entries()) {
      ;(data as BigInt64Array)[i] = (dtype === 'int64' ? clampInt64(value) : value) as bigint
    }
    const value: Value = { name: this.#origin, dtype, dims, constant: inlineConstant(dtype, dims, data) }
    this.#builder.probes.setContents(value, data)
    return value
  }

  reshape(value: Value, dims: readonly Dim[]): Value {
    if (sameDims(value.dims, dims)) return value
    if (dims.includes(0)) this.unsupported(`its result ${formatDims(dims)} is empty`)
    if (!sameElementCount(value.dims, dims)) {
      this.mismatch(`${formatDims(value.dims)} cannot become ${formatDims(dims)}`)
    }
    if (value.constant !== null) {
      const known = this.#builder.probes.uniform(value)
      return this.#withContents(reshapedConstant(value.constant, dims as number[]), known)
    }
    return dims.some(isUnknown) ? this.#reshapeLater(value, dims) : this.emit('reshape', {}, [value], dims)
  }

  /** A reshape by the engine, which knows sizes that are not known here: each is kept in its place, or one is what is left. */
  #reshapeLater(value: Value, dims: readonly Dim[]): Value {
    const asked = dims.map((dim, axis) => (typeof dim === 'number' ? dim : dim === value.dims[axis] ? 0 : -1))
    if (asked.filter((dim) => dim === -1).length > 1) {
      this.unsupported(
        `${formatDims(value.dims)} become ${formatDims(dims)}, which the engine cannot tell apart`,
      )
    }
    return this.operator('Reshape', [value, this.integers(asked)])
  }

  transpose(value: Value, permutation: readonly number[]): Value {
    if (permutation.every((axis, index) => axis === index)) return value
    if (value.constant !== null) {
      const { constant } = value
      const known = this.#builder.probes.uniform(value)
      const moved = known && permuteElements(known, constant.dtype, constant.dims, permutation)
      return this.#withContents(transposedConstant(constant, permutation), moved)
    }
    const dims = permutation.map((axis) => value.dims[axis] as Dim)
    return this.emit('transpose', { permutation }, [value], dims)
  }
}

function clampInt64(value: number): bigint {
  if (value >= 2 ** 63) return 2n ** 63n - 1n
  if (value < -(2 ** 63)) return -(2n ** 63n)
  return BigInt(Math.trunc(value))
}
