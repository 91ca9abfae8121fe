// SPDX-License-Identifier: Apache-2.0
import { type DType, elementCount, type Tensor } from '@mlcapsule/contracts'
import { type Estimate, exactly, isTame, roughly } from './estimate.ts'
import type { FuzzAttribute, FuzzGraph, FuzzInput, FuzzNode, FuzzOutput } from './fuzz-graph.ts'
import type { RandomSource } from './random-source.ts'
import { tensorOf } from './tensors.ts'

/** A value of the graph that is being written. */
export interface FuzzValue extends FuzzOutput {
  /** Null where sizes depend on elements: such a value is an output and nothing else. */
  readonly dims: readonly number[] | null
}

export interface KnownValue extends FuzzValue {
  readonly dims: readonly number[]
}

/** What a node makes. */
export type Result = Pick<FuzzValue, 'dtype' | 'dims' | 'estimate'>

export interface DataRange {
  /** In units of 2^-grid. */
  readonly low: number
  readonly high: number
  readonly grid?: number
}

const fractionBits = 3

/** Symbolic dimensions have sizes that no other dimension is likely to have: a constant of such a size would fix them. */
const symbolSizes = [11, 13]

/** What elements are drawn from where nobody asks for anything else: few bits, so that sums stay exact. */
const usualRanges: Readonly<Partial<Record<DType, DataRange>>> = {
  float32: { low: -32, high: 32, grid: fractionBits },
  int64: { low: -10, high: 10 },
  int32: { low: -10, high: 10 },
  int8: { low: -10, high: 10 },
  uint8: { low: 0, high: 20 },
  bool: { low: 0, high: 1 },
}

/** Eighths from 1/8 to 4. */
export const positive: DataRange = { low: 1, high: 32, grid: fractionBits }

export const isKnown = (value: FuzzValue): value is KnownValue => value.dims !== null
export const isFloat = ({ dtype }: FuzzValue) => dtype === 'float32'
/** All implementations have the same elements. */
export const isExact = ({ dtype, estimate }: FuzzValue) => dtype !== 'float32' || estimate.grid !== null

export type Emptiness = 'allowed' | 'refused'

/** Builds a graph, node by node: keeps what values there are, and makes operands. */
export class GraphWriter {
  readonly random: RandomSource
  readonly opset: number
  readonly #inputs: FuzzInput[] = []
  readonly #constants = new Map<string, Tensor>()
  readonly #nodes: FuzzNode[] = []
  readonly #values: FuzzValue[] = []
  readonly #read = new Set<string>()
  /** Sizes that queries choose, with their names. */
  readonly #symbols: ReadonlyMap<number, string>
  readonly #constantShare: number
  /** How often what decides sizes comes with the query. */
  readonly #dynamicShare: number

  constructor(random: RandomSource, opset: number) {
    this.random = random
    this.opset = opset
    this.#symbols = new Map(symbolSizes.slice(0, random.pick([0, 0, 1, 2])).map((size, i) => [size, `n${i}`]))
    this.#constantShare = random.pick([0.2, 0.8, 1])
    this.#dynamicShare = random.pick([0, 0, 0.3])
  }

  get nodeCount(): number {
    return this.#nodes.length
  }

  tensor(dtype: DType, dims: readonly number[], range: DataRange): Tensor {
    const { low, high, grid = 0 } = range
    const count = elementCount(dims)
    const draw = () => this.random.between(low, high) / 2 ** grid
    return tensorOf(dtype, dims, Array.from({ length: count }, draw))
  }

  /** An operand with new elements: a constant of the model, or one more input. */
  operand(
    dtype: DType,
    dims: readonly number[],
    range: DataRange = usualRanges[dtype] as DataRange,
  ): KnownValue {
    const tensor = this.tensor(dtype, dims, range)
    const scale = 2 ** (range.grid ?? 0)
    const estimate = exactly(range.low / scale, range.high / scale, range.grid ?? 0)
    const isSymbolic = dims.some((size) => this.#symbols.has(size))
    return !isSymbolic && this.random.chance(this.#constantShare)
      ? this.constant(tensor, estimate)
      : this.input(tensor, estimate)
  }

  input(tensor: Tensor, estimate: Estimate, isFixed = false): KnownValue {
    const name = `x${this.#inputs.length}`
    const declared = tensor.shape.map((size) => (isFixed ? size : (this.#symbols.get(size) ?? size)))
    this.#inputs.push({ name, tensor, declared })
    const value = { name, dtype: tensor.dtype, dims: tensor.shape, estimate }
    this.#values.push(value)
    return value
  }

  constant(tensor: Tensor, estimate: Estimate): KnownValue {
    const name = `w${this.#constants.size}`
    this.#constants.set(name, tensor)
    return { name, dtype: tensor.dtype, dims: tensor.shape, estimate }
  }

  /** Integers that say how an operator works: a constant, or now and then an input. @returns its name */
  setting(
    values: readonly number[],
    dims: readonly number[] = [values.length],
    dtype: DType = 'int64',
  ): string {
    const tensor = tensorOf(dtype, dims, values)
    const estimate = exactly(Math.min(0, ...values), Math.max(0, ...values))
    // A declared dimension of 0 is taken for one that the exporter did not know.
    const isEmpty = values.length === 0
    if (!isEmpty && this.random.chance(this.#dynamicShare)) return this.input(tensor, estimate, true).name
    return this.constant(tensor, estimate).name
  }

  /** A float that says how an operator works: always a constant. */
  scalar(value: number, dims: readonly number[] = []): string {
    return this.constant(tensorOf('float32', dims, [value]), roughly(value, value, 0)).name
  }

  /**
   * A value that there is; later ones more likely, so that chains form. Null where none fits.
   * @param emptiness whether it may have no elements
   */
  find(accepts: (value: KnownValue) => boolean, emptiness: Emptiness = 'refused'): KnownValue | null {
    const fitting = this.#values.filter(
      (it): it is KnownValue =>
        isKnown(it) && (emptiness === 'allowed' || !it.dims.includes(0)) && accepts(it),
    )
    if (fitting.length === 0) return null
    return this.random.chance(0.6) ? (fitting.at(-1) as KnownValue) : this.random.pick(fitting)
  }

  /** A value of a dtype and a rank in a range, new where there is none. */
  value(
    dtype: DType,
    [lowRank, highRank]: readonly [number, number] = [0, 4],
    accepts: (value: KnownValue) => boolean = () => true,
    emptiness: Emptiness = 'refused',
  ): KnownValue {
    const found = this.find(
      (it) => it.dtype === dtype && it.dims.length >= lowRank && it.dims.length <= highRank && accepts(it),
      emptiness,
    )
    return found ?? this.fresh(dtype, this.dims(this.random.between(lowRank, highRank)))
  }

  /** A new input. */
  fresh(
    dtype: DType,
    dims: readonly number[],
    range: DataRange = usualRanges[dtype] as DataRange,
  ): KnownValue {
    const scale = 2 ** (range.grid ?? 0)
    const estimate = exactly(range.low / scale, range.high / scale, range.grid ?? 0)
    return this.input(this.tensor(dtype, dims, range), estimate)
  }

  dims(rank: number): number[] {
    const symbolic = [...this.#symbols.keys()]
    return Array.from({ length: rank }, () =>
      symbolic.length > 0 && this.random.chance(0.25)
        ? this.random.pick(symbolic)
        : this.random.pick([1, 1, 2, 2, 3, 3, 4, 5, 6]),
    )
  }

  /** Dimensions that broadcast to `dims`. */
  broadcastable(dims: readonly number[]): number[] {
    const kept = dims.map((dim) => (this.random.chance(0.3) ? 1 : dim))
    return this.random.chance(0.3) ? kept.slice(this.random.below(kept.length + 1)) : kept
  }

  /**
   * Adds a node, unless what it makes is too large or too far from exact to go on with.
   * @returns whether it was added
   */
  add(
    op: string,
    inputs: readonly (KnownValue | string)[],
    attributes: Readonly<Record<string, FuzzAttribute>>,
    ...results: readonly (Result | null)[]
  ): boolean {
    const made = results.filter((it) => it !== null)
    const isFit = made.every(
      ({ dtype, dims, estimate }) =>
        (dtype !== 'float32' || isTame(estimate)) &&
        Math.abs(estimate.low) <= 2 ** 30 &&
        Math.abs(estimate.high) <= 2 ** 30 &&
        (dims === null || (dims.length <= 6 && elementCount(dims) <= 20_000)),
    )
    if (!isFit) return false
    const names = inputs.map((it) => (typeof it === 'string' ? it : it.name))
    const outputs = results.map((it, i) => (it === null ? '' : `v${this.#nodes.length}${'abcd'[i]}`))
    this.#nodes.push({ op, inputs: names, outputs, attributes })
    for (const name of names) this.#read.add(name)
    for (const [i, it] of results.entries()) {
      if (it !== null) this.#values.push({ ...it, name: outputs[i] as string })
    }
    return true
  }

  /** The graph with all that nothing reads as its outputs, and now and then more. */
  graph(): FuzzGraph {
    const made = new Set(this.#nodes.flatMap((it) => it.outputs))
    const values = this.#values.filter((it) => made.has(it.name))
    return {
      opset: this.opset,
      inputs: this.#inputs.filter((it) => this.#read.has(it.name)),
      constants: new Map([...this.#constants].filter(([name]) => this.#read.has(name))),
      nodes: this.#nodes,
      outputs: values.filter((it) => !this.#read.has(it.name) || this.random.chance(0.05)),
      values: new Map(values.map((it) => [it.name, it])),
    }
  }
}

/** One way to add a node. @returns false where it could not be done with the values that there are */
export interface Generator {
  /** The operator, for counts. */
  readonly op: string
  readonly since?: number
  readonly until?: number
  readonly weight?: number
  readonly add: (w: GraphWriter) => boolean
}
