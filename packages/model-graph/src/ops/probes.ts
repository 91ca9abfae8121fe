// SPDX-License-Identifier: Apache-2.0
import { elementCount, type TensorData } from '@mlcapsule/contracts'
import {
  type AttributeValue,
  type Operator,
  OperatorFault,
  type ResultType,
} from '@mlcapsule/inference-kernels/program'
import { ModelError } from '../errors.ts'
import { newTensorData } from '../graph/constant.ts'
import { type Dim, isUnknown, type Value } from '../graph/graph.ts'
import { UnsupportedNode } from './unsupported.ts'

/** Tensors of up to this many elements are computed at import where all that they depend on is known. */
const knownElementCount = 4096

/**
 * Sizes tried for the symbols, in turn: all different, all the same, small, large, and multiples of 32, for networks that
 * halve their input five times; at least three are more than 255, for networks that take no small images.
 */
const trials: readonly ((symbol: number) => number)[] = [
  (i) => [5, 7, 11, 13, 17, 19, 23, 29][i % 8] as number,
  () => 1,
  () => 2,
  () => 8,
  () => 64,
  (i) => 32 * (i + 2),
  (i) => 32 * (17 - (i % 16)),
  () => 256,
  (i) => 288 + 32 * (i % 16),
  (i) => 3 + i,
]

/** Contents of a value: the same in every trial, or one for each; null in a trial where they are not known. */
type Contents = TensorData | readonly (TensorData | null)[]

const isList = (contents: Contents): contents is readonly (TensorData | null)[] => Array.isArray(contents)

/** A call of an operator on values of the graph. */
export interface ProbedCall {
  readonly operator: Operator
  readonly inputs: readonly (Value | null)[]
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly outputCount: number
  /** For messages. */
  readonly origin: string
}

export interface ProbedResult {
  readonly dtype: Value['dtype']
  readonly dims: readonly Dim[]
  readonly contents: Contents | null
}

/**
 * Works out shapes with symbolic dimensions by trying numbers for the symbols: an operator only has to know how concrete
 * shapes come about. A dimension that is the same in all trials is taken to be a number, one that follows a symbol in all of
 * them to be that symbol, and any other gets a name of its own. The engine checks what is claimed here whenever it binds the
 * program, so a claim that fails for other sizes is an error there and never a wrong result.
 */
export class Probes {
  /** What each name of a dimension stands for, trial by trial. */
  readonly #sizes = new Map<string, readonly number[]>()
  readonly #contents = new Map<Value, Contents>()
  /** Trials whose numbers did not go together, such as symbols that have to be equal, are given up. */
  readonly #alive: boolean[] = trials.map(() => true)
  #unknownCount = 0

  /** A symbolic dimension of an input. */
  addSymbol(name: string): void {
    if (this.#sizes.has(name)) return
    const index = this.#sizes.size
    this.#sizes.set(
      name,
      trials.map((trial) => trial(index)),
    )
  }

  setContents(value: Value, contents: Contents): void {
    this.#contents.set(value, contents)
  }

  /** Whether the elements of a value are known, be they the same in every trial or not. */
  isTraced(value: Value): boolean {
    return this.#contents.has(value)
  }

  /** Elements of a value that is the same in every trial. */
  uniform(value: Value): TensorData | null {
    const contents = this.#contents.get(value)
    return contents === undefined || isList(contents) ? null : contents
  }

  /** Whether a value is not constant, and yet known: computed from the dims of inputs. */
  isFromShapes(value: Value): boolean {
    return value.constant === null && this.#contents.has(value)
  }

  /** Elements of a value, each a number or a symbol of an input; null where they are not known so. */
  known(value: Value): readonly Dim[] | null {
    const contents = this.#contents.get(value)
    if (contents === undefined) return null
    if (!isList(contents)) return Array.from(contents as ArrayLike<number | bigint>, Number)
    const count = elementCount(value.dims as readonly number[])
    const elements: Dim[] = []
    for (let i = 0; i < count; i++) {
      const dim = this.#nameOf(contents.map((data) => (data === null ? Number.NaN : Number(data[i]))))
      if (dim === null || isUnknown(dim)) return null
      elements.push(dim)
    }
    return elements
  }

  /** The dims of a broadcast; null where they cannot go together. */
  mapDims(
    lists: readonly (readonly Dim[])[],
    combine: (dims: readonly (readonly number[])[]) => readonly number[] | null,
  ): readonly Dim[] | null {
    const results = trials.map((_, trial) =>
      this.#alive[trial] ? combine(lists.map((dims) => this.#at(dims, trial))) : null,
    )
    if (results.every((dims) => dims === null)) return null
    for (const [trial, dims] of results.entries()) if (dims === null) this.#alive[trial] = false
    return this.#joined(results)
  }

  /**
   * Types, and where they can be known the elements, of an operator's results.
   * @throws UnsupportedNode, ModelError `MODEL_SHAPE_MISMATCH`
   */
  call(call: ProbedCall): readonly ProbedResult[] {
    const isOneTrial = call.inputs.every(
      (it) => it === null || (it.dims.every((dim) => typeof dim === 'number') && this.#isSame(it)),
    )
    if (!isOneTrial) return this.#callEach(call)
    const outcome = this.#attempt(call, 0)
    if (outcome instanceof OperatorFault) throw faultOf(outcome, call)
    return outcome.types.map(({ dtype, dims }, i) => ({
      dtype,
      dims: dims.map((dim) => dim ?? this.newUnknown()),
      contents: outcome.contents?.[i] ?? null,
    }))
  }

  #callEach(call: ProbedCall): readonly ProbedResult[] {
    let fault: OperatorFault | undefined
    const outcomes = trials.map((_, trial) => {
      if (!this.#alive[trial]) return null
      const outcome = this.#attempt(call, trial)
      if (!(outcome instanceof OperatorFault)) return outcome
      if (outcome.kind === 'unsupported') throw faultOf(outcome, call)
      fault ??= outcome
      return null
    })
    if (fault !== undefined && outcomes.every((it) => it === null)) {
      if (this.#fitsEmpty(call))
        throw new UnsupportedNode('its operands go together only where they are empty')
      throw faultOf(fault, call)
    }
    for (const [trial, outcome] of outcomes.entries()) if (outcome === null) this.#alive[trial] = false
    const first = outcomes.find((it) => it !== null)
    const isOneRank = outcomes.every(
      (it) => it?.types.every(({ dims }, i) => dims.length === first?.types[i]?.dims.length) ?? true,
    )
    if (!isOneRank) throw new UnsupportedNode('the number of dimensions depends on the sizes of inputs')
    return (first?.types ?? []).map(({ dtype }, i) => ({
      dtype,
      dims: this.#joined(outcomes.map((it) => it?.types[i]?.dims ?? null)),
      contents: outcomes.every((it) => it === null || it.contents !== null)
        ? outcomes.map((it) => it?.contents?.[i] ?? null)
        : null,
    }))
  }

  /** Whether a call that fails in every trial would do with 0 for each symbol, which is not among the trials. */
  #fitsEmpty({ operator, inputs, attributes, outputCount }: ProbedCall): boolean {
    const operands = inputs.map((it) => {
      if (it === null) return null
      const dims = it.dims.map((dim) => (typeof dim === 'number' ? dim : 0))
      return { dtype: it.dtype, dims, data: this.uniform(it) }
    })
    try {
      operator.infer({ inputs: operands, attributes: attributes as never, outputCount })
      return true
    } catch (error) {
      if (error instanceof OperatorFault) return false
      throw error
    }
  }

  /** Whether a value's contents, if known, are one for all trials. */
  #isSame(value: Value): boolean {
    const contents = this.#contents.get(value)
    return contents === undefined || !isList(contents)
  }

  #at(dims: readonly Dim[], trial: number): number[] {
    return dims.map((dim) => {
      if (typeof dim === 'number') return dim
      const sizes = this.#sizes.get(dim)
      if (sizes === undefined) throw new TypeError(`dimension ${dim} was never named`)
      return sizes[trial] as number
    })
  }

  #dataAt(value: Value, trial: number): TensorData | null {
    const contents = this.#contents.get(value)
    if (contents === undefined) return null
    return isList(contents) ? (contents[trial] ?? null) : contents
  }

  #attempt(
    { operator, inputs, attributes, outputCount }: ProbedCall,
    trial: number,
  ):
    | { readonly types: readonly ResultType[]; readonly contents: readonly TensorData[] | null }
    | OperatorFault {
    const operands = inputs.map((it) =>
      it === null ? null : { dtype: it.dtype, dims: this.#at(it.dims, trial), data: this.#dataAt(it, trial) },
    )
    try {
      const types = operator
        .infer({ inputs: operands, attributes: attributes as never, outputCount })
        .slice(0, outputCount)
      const isKnown = operator.isTypesOnly || operands.every((it) => it === null || it.data !== null)
      const isSmall = types.every(
        ({ dims }) =>
          dims.every((dim) => dim !== null) && elementCount(dims as readonly number[]) <= knownElementCount,
      )
      if (!isKnown || !isSmall) return { types, contents: null }
      const given = operands[0]?.data ?? null
      if (operator.isAlias && given !== null) return { types, contents: [given.slice() as TensorData] }
      const outputs = types.map(({ dtype, dims }) => {
        const known = dims as readonly number[]
        return { dtype, dims: known, data: newTensorData(dtype, elementCount(known)) }
      })
      operator.run({ inputs: operands as never, attributes: attributes as never, outputs })
      return { types, contents: outputs.map(({ data }) => data) }
    } catch (error) {
      if (error instanceof OperatorFault) return error
      throw error
    }
  }

  /** One list of dims for those of the trials. */
  #joined(results: readonly (readonly (number | null)[] | null)[]): readonly Dim[] {
    const first = results.find((it) => it !== null) ?? []
    return first.map((_, axis) => {
      const sizes = results.map((dims) => (dims === null ? Number.NaN : (dims[axis] ?? null)))
      if (sizes.some((size) => size === null)) return this.newUnknown()
      return this.#nameOf(sizes as number[]) ?? this.newUnknown(sizes as number[])
    })
  }

  /** The number or the name that a dimension follows in every trial that is left; null where there is none. */
  #nameOf(sizes: readonly number[]): Dim | null {
    const isLike = (other: (trial: number) => number | undefined) =>
      sizes.every((size, trial) => !this.#alive[trial] || Number.isNaN(size) || size === other(trial))
    const first = sizes.find((size, trial) => this.#alive[trial] && !Number.isNaN(size))
    if (first === undefined) return null
    if (this.#sizes.size === 0) return first
    if (isLike(() => first)) return this.#isTrustworthy() ? first : null
    for (const [name, own] of this.#sizes) if (isLike((trial) => own[trial])) return name
    return null
  }

  /** Whether enough trials are left to tell a number from a coincidence. */
  #isTrustworthy(): boolean {
    return this.#alive.filter(Boolean).length >= 3
  }

  /** @param sizes trial by trial; left out where they depend on data, and so may be anything */
  newUnknown(sizes?: readonly number[]): string {
    const index = this.#sizes.size
    const name = `?${++this.#unknownCount}`
    this.#sizes.set(name, sizes ?? trials.map((trial) => trial(index)))
    return name
  }
}

function faultOf(fault: OperatorFault, { origin }: ProbedCall): Error {
  if (fault.kind === 'unsupported') return new UnsupportedNode(fault.message)
  return new ModelError('MODEL_SHAPE_MISMATCH', `${origin}: ${fault.message}`)
}
