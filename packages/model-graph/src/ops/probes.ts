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

/** Elements that are computed at import, all in all: many times what computations on shapes take. */
const computedElementCount = 2 ** 24

const primes = [5, 7, 11, 13, 17, 19, 23, 29]

/**
 * Sizes tried for the symbols, in turn: all different, all the same, small, large, and multiples of 32, for networks that
 * halve their input five times; some more than 255, for networks that take no small images; and some the same, since models
 * give two names to what has to be one size.
 */
const ordinaryTrials: readonly ((symbol: number) => number)[] = [
  (i) => primes[i % 8] as number,
  () => 1,
  () => 2,
  () => 8,
  () => 64,
  (i) => 32 * (i + 2),
  (i) => 32 * (17 - (i % 16)),
  () => 256,
  (i) => 288 + 32 * (i % 16),
  (i) => 3 + i,
  (i) => 12 + i,
  (i) => 24 + 2 * i,
  () => 48,
  (i) => 32 * ((i >> 1) + 2),
  (i) => 32 * (((i + 1) >> 1) + 2),
  (i) => 32 * ((i % 2) + 2),
]

/**
 * Sizes beyond every bound that a model would put on one. The engine checks dims, but not what elements are taken to be:
 * these have to hold here too, so that the lesser of a size and a bound is not taken for the size.
 */
const largeTrials: readonly ((symbol: number) => number)[] = [
  (i) => 32 * (4001 + 6 * i),
  (i) => 100_003 + 2 * i,
]

/** No elements at all, which a query may bring: what elements are taken to be has to hold here too. */
const emptyTrial = () => 0

/** Operators that give elements of their first input, or of all of a Concat, as they are. */
const moving = new Set([
  'Concat',
  'Flatten',
  'Gather',
  'Identity',
  'Reshape',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
])

const trials = [...ordinaryTrials, ...largeTrials, emptyTrial]

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
 * them to be that symbol, and any other gets a name of its own. The engine checks what is claimed of dims whenever it binds
 * the program, so a claim that fails for other sizes is an error there and never a wrong result. What is claimed of elements
 * has to hold for very large sizes and for 0 too, since an importer may write it into attributes.
 */
export class Probes {
  /** What each name of a dimension stands for, trial by trial. */
  readonly #sizes = new Map<string, readonly number[]>()
  /** Names by their sizes in the trials that are left; null until it is asked for again. */
  #names: Map<string, readonly string[]> | null = null
  readonly #contents = new Map<Value, Contents>()
  /** Trials whose numbers did not go together, such as symbols that have to be equal, are given up. */
  #alive: readonly boolean[] = trials.map(() => true)
  /** Whether these trials are known to tell a number from a coincidence: more names leave that as it is. */
  #isTrusted = false
  /** Names of dims that depend on elements of a query: their sizes in trials say nothing of what they will be. */
  readonly #free = new Set<string>()
  /** For contents that differ from trial to trial: which of their elements follow from a symbol. */
  readonly #marks = new WeakMap<Contents, TensorData>()
  #unknownCount = 0
  #computedCount = 0

  /** A symbolic dimension of an input. */
  addSymbol(name: string): void {
    if (this.#sizes.has(name)) return
    const index = this.#sizes.size
    this.#define(
      name,
      trials.map((trial) => trial(index)),
    )
  }

  #define(name: string, sizes: readonly number[]): void {
    this.#sizes.set(name, sizes)
    if (this.#names !== null) addName(this.#names, this.#keyOf(sizes), name)
  }

  /** Goes on with these trials. */
  #live(alive: readonly boolean[]): void {
    if (alive.every((isAlive, trial) => isAlive === this.#alive[trial])) return
    this.#alive = alive
    this.#names = null
    this.#isTrusted = false
  }

  /** Gives up those trials that came to nothing. */
  #giveUp(results: readonly unknown[]): void {
    if (results.every((result, trial) => result !== null || !this.#alive[trial])) return
    this.#live(this.#alive.map((isAlive, trial) => isAlive && results[trial] !== null))
  }

  /**
   * Imports what runs under a condition: only trials where it holds have a say there, and what they run into has none
   * outside.
   * @param isThen whether it is what runs where the condition is true
   */
  async under<T>(condition: Value, isThen: boolean, work: () => Promise<T>): Promise<T> {
    const before = this.#alive
    const holds = before.map((isAlive, trial) => {
      const data = this.#dataAt(condition, trial)
      return isAlive && (data === null || (Number(data[0]) !== 0) === isThen)
    })
    if (holds.some(Boolean)) this.#live(holds)
    try {
      return await work()
    } finally {
      this.#live(before)
    }
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
    // There may be more of them in one trial than in another.
    if (value.dims.some((dim) => typeof dim === 'string')) return null
    const count = elementCount(value.dims as readonly number[])
    const elements: Dim[] = []
    for (let i = 0; i < count; i++) {
      const sizes = contents.map((data) => (data === null ? Number.NaN : Number(data[i])))
      const dim = this.#nameOf(sizes, [])
      if (dim === null || isUnknown(dim) || !this.#isLikeEverywhere(sizes, dim)) return null
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
    return this.#joined(results, lists.flat())
  }

  /**
   * Types, and where they can be known the elements, of an operator's results.
   * @throws UnsupportedNode, ModelError `MODEL_SHAPE_MISMATCH`
   */
  call(call: ProbedCall): readonly ProbedResult[] {
    const isOneTrial = call.inputs.every(
      (it) =>
        it === null ||
        (it.dims.every((dim) => typeof dim === 'number') && (call.operator.isTypesOnly || this.#isSame(it))),
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
      if (outcome.kind === 'unsupported' && trial < ordinaryTrials.length) throw faultOf(outcome, call)
      fault ??= outcome
      return null
    })
    const near = call.inputs.flatMap((it) => it?.dims ?? [])
    if (fault !== undefined && outcomes.every((it, trial) => it === null || trials[trial] === emptyTrial)) {
      const types = this.#typesWhereFreeFit(call)
      if (types !== null) return types
      if (this.#fitsEmpty(call))
        throw new UnsupportedNode('its operands go together only where they are empty')
      if (this.#hasFree(near))
        throw new UnsupportedNode(`sizes depend on data, and may not fit: ${fault.message}`)
      throw faultOf(fault, call)
    }
    const first = outcomes.find((it) => it !== null)
    const isOneRank = outcomes.every(
      (it) => it?.types.every(({ dims }, i) => dims.length === first?.types[i]?.dims.length) ?? true,
    )
    if (!isOneRank) throw new UnsupportedNode('the number of dimensions depends on the sizes of inputs')
    const dims = (first?.types ?? []).map((_, i) =>
      this.#joined(
        outcomes.map((it) => it?.types[i]?.dims ?? null),
        near,
      ),
    )
    const isKnown = outcomes.every((it, trial) => it?.contents != null || !this.#alive[trial])
    if (isKnown && this.#isFixed(call)) {
      const fixed = outcomes.find((it, trial) => it !== null && this.#alive[trial])?.contents ?? null
      return (first?.types ?? []).map(({ dtype }, i) => ({
        dtype,
        dims: dims[i] ?? [],
        contents: fixed?.[i] ?? null,
      }))
    }
    const moved = isKnown ? this.#marksOf(call) : null
    return (first?.types ?? []).map(({ dtype }, i) => {
      const contents = isKnown ? outcomes.map((it) => it?.contents?.[i] ?? null) : null
      if (contents !== null && i === 0 && moved !== null) this.#marks.set(contents, moved)
      return { dtype, dims: dims[i] ?? [], contents }
    })
  }

  /** Whether none of the elements that a call gives follows from a symbol, though others of what it reads do. */
  #isFixed(call: ProbedCall): boolean {
    const marks = this.#marksOf(call)
    return (
      marks !== null && Array.from(marks as ArrayLike<number | bigint>, Number).every((mark) => mark === 0)
    )
  }

  /**
   * For each element of a call's result 1 where it follows from a symbol, else 0; null where that is not known. Found by
   * moving marks in place of the elements.
   */
  #marksOf(call: ProbedCall): TensorData | null {
    const { operator, inputs, attributes } = call
    if (operator.name !== 'Shape' && !moving.has(operator.name)) return null
    const trial = this.#alive.indexOf(true)
    const operands = inputs.map((it, i) => {
      if (it === null) return null
      const dims = this.#at(it.dims, trial)
      if (operator.name === 'Shape') {
        return { dtype: it.dtype, dims: it.dims.map((dim) => (typeof dim === 'string' ? 1 : 0)), data: null }
      }
      const contents = this.#contents.get(it)
      if (contents === undefined) return undefined
      const isMoved = i === 0 || operator.name === 'Concat'
      if (!isList(contents)) {
        return { dtype: it.dtype, dims, data: isMoved ? newTensorData(it.dtype, contents.length) : contents }
      }
      const marks = isMoved ? this.#marks.get(contents) : undefined
      return marks === undefined ? undefined : { dtype: it.dtype, dims, data: marks }
    })
    if (operands.includes(undefined)) return null
    const known = operands as ({ dtype: Value['dtype']; dims: number[]; data: TensorData | null } | null)[]
    const [type] = operator.infer({ inputs: known, attributes: attributes as never, outputCount: 1 })
    if (operator.isAlias) return known[0]?.data ?? null
    if (type === undefined) return null
    const dims = type.dims as readonly number[]
    const output = { dtype: type.dtype, dims, data: newTensorData(type.dtype, elementCount(dims)) }
    operator.run({ inputs: known as never, attributes: attributes as never, outputs: [output] })
    return output.data
  }

  /** Types of a call that fails in every trial because a dimension that nobody knows would have to be a certain number. */
  #typesWhereFreeFit(call: ProbedCall): readonly ProbedResult[] | null {
    const dims = call.inputs.flatMap((it) => it?.dims ?? [])
    if (!this.#hasFree(dims)) return null
    for (const size of new Set(dims.filter((dim) => typeof dim === 'number'))) {
      for (const trial of ordinaryTrials.keys()) {
        const outcome = this.#attempt(call, trial, size)
        if (outcome instanceof OperatorFault) continue
        return outcome.types.map((it) => ({
          dtype: it.dtype,
          dims: it.dims.map(() => this.newUnknown()),
          contents: null,
        }))
      }
    }
    return null
  }

  #hasFree(dims: readonly Dim[]): boolean {
    return dims.some((dim) => typeof dim === 'string' && this.#free.has(dim))
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

  /** @param freeSize what dims that nobody knows are taken to be, if not what they are in the trial */
  #at(dims: readonly Dim[], trial: number, freeSize?: number): number[] {
    return dims.map((dim) => {
      if (typeof dim === 'number') return dim
      if (freeSize !== undefined && this.#free.has(dim)) return freeSize
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
    { operator, inputs, attributes, outputCount, origin }: ProbedCall,
    trial: number,
    freeSize?: number,
  ):
    | { readonly types: readonly ResultType[]; readonly contents: readonly TensorData[] | null }
    | OperatorFault {
    const operands = inputs.map((it) =>
      it === null
        ? null
        : { dtype: it.dtype, dims: this.#at(it.dims, trial, freeSize), data: this.#dataAt(it, trial) },
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
      if (operator.isAlias && given !== null) return { types, contents: [given] }
      this.#computedCount += types.reduce((sum, { dims }) => sum + elementCount(dims as number[]), 0)
      if (this.#computedCount > computedElementCount) {
        throw new ModelError(
          'MODEL_TOO_LARGE',
          `${origin}: the model computes too much before it gets its inputs`,
        )
      }
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

  /**
   * One list of dims for those of the trials.
   * @param near dims of what they were worked out from
   */
  #joined(results: readonly (readonly (number | null)[] | null)[], near: readonly Dim[]): readonly Dim[] {
    const first = results.find((it) => it !== null) ?? []
    const isFree = this.#hasFree(near)
    // A trial that fails may fail for what a free dimension is taken to be: it is not given up, and tells nothing.
    const isLost = (trial: number) => this.#alive[trial] && trials[trial] !== emptyTrial
    const isPartial = isFree && results.some((dims, trial) => dims === null && isLost(trial))
    if (!isPartial) this.#giveUp(results)
    return first.map((_, axis) => {
      const sizes = results.map((dims) => (dims === null ? Number.NaN : (dims[axis] ?? null)))
      if (sizes.some((size) => size === null)) return this.newUnknown()
      if (isPartial) return this.#nearNameOf(sizes as number[], near) ?? this.newUnknown()
      return this.#nameOf(sizes as number[], near) ?? this.newUnknown(sizes as number[], isFree)
    })
  }

  /** As `#nameOf`, from those trials alone that came to something: null where they are too few to tell. */
  #nearNameOf(sizes: readonly number[], near: readonly Dim[]): Dim | null {
    const told = new Set(
      sizes.flatMap((size, trial) => (Number.isNaN(size) ? [] : [this.#at(near, trial).join()])),
    )
    if (told.size < 3) return null
    const fits = new Set(
      near.filter((dim) => {
        const own = typeof dim === 'number' ? null : this.#sizes.get(dim)
        return sizes.every((size, trial) => Number.isNaN(size) || size === (own?.[trial] ?? dim))
      }),
    )
    return fits.size === 1 ? ([...fits][0] as Dim) : null
  }

  /**
   * The number or the name that a dimension follows in every trial that is left; null where there is none, or where it
   * could be one name as well as another.
   */
  #nameOf(sizes: readonly number[], near: readonly Dim[]): Dim | null {
    const left = sizes.filter((_, trial) => this.#isOrdinary(trial))
    const [first] = left
    if (first === undefined || left.some(Number.isNaN)) return null
    if (this.#sizes.size === 0) return first
    if (left.every((size) => size === first)) return this.#isTrustworthy() ? first : null
    const names = this.#namesBySizes().get(this.#keyOf(sizes)) ?? []
    if (names.length <= 1) return names[0] ?? null
    const nearNames = new Set(near.filter((dim) => typeof dim === 'string' && names.includes(dim)))
    return nearNames.size === 1 ? ([...nearNames][0] as string) : null
  }

  #isLikeEverywhere(sizes: readonly number[], dim: Dim): boolean {
    const own = typeof dim === 'number' ? null : this.#sizes.get(dim)
    return sizes.every((size, trial) => !this.#alive[trial] || size === (own?.[trial] ?? dim))
  }

  /** Whether a trial is left that decides on dims. */
  #isOrdinary(trial: number): boolean {
    return trial < ordinaryTrials.length && this.#alive[trial] === true
  }

  #keyOf(sizes: readonly number[]): string {
    return sizes.filter((_, trial) => this.#isOrdinary(trial)).join()
  }

  #namesBySizes(): ReadonlyMap<string, readonly string[]> {
    if (this.#names !== null) return this.#names
    this.#names = new Map()
    for (const [name, sizes] of this.#sizes) addName(this.#names, this.#keyOf(sizes), name)
    return this.#names
  }

  /** Whether trials enough that are not alike are left to tell a number from a coincidence. */
  #isTrustworthy(): boolean {
    if (this.#isTrusted) return true
    const left = trials.map((_, trial) => trial).filter((trial) => this.#isOrdinary(trial))
    if (left.length < 3) return false
    const all = [...this.#sizes.values()]
    this.#isTrusted = new Set(left.map((trial) => all.map((sizes) => sizes[trial]).join())).size >= 3
    return this.#isTrusted
  }

  /**
   * @param sizes trial by trial; left out where they depend on data, and so may be anything
   * @param isFree whether they follow from such sizes
   */
  newUnknown(sizes?: readonly number[], isFree = sizes === undefined): string {
    const index = this.#sizes.size
    const name = `?${++this.#unknownCount}`
    if (isFree) this.#free.add(name)
    this.#define(name, sizes ?? trials.map((trial) => trial(index)))
    return name
  }

  /** Dims of what is one value where a condition is true and another one where it is not. */
  either(condition: Value, then: readonly Dim[], otherwise: readonly Dim[]): readonly Dim[] {
    const results = trials.map((_, trial) => {
      if (!this.#alive[trial]) return null
      const data = this.#dataAt(condition, trial)
      const [a, b] = [this.#at(then, trial), this.#at(otherwise, trial)]
      if (data !== null) return Number(data[0]) !== 0 ? a : b
      return a.map((size, axis) => (size === b[axis] ? size : null))
    })
    const joined = this.#joined(results, [...then, ...otherwise])
    return then.map((dim, axis) => (dim === otherwise[axis] ? dim : (joined[axis] as Dim)))
  }
}

/** Names beyond a few are left out: one is as good as another then. */
function addName(names: Map<string, readonly string[]>, key: string, name: string): void {
  const known = names.get(key) ?? []
  if (known.length < 8) names.set(key, [...known, name])
}

function faultOf(fault: OperatorFault, { origin }: ProbedCall): Error {
  if (fault.kind === 'unsupported') return new UnsupportedNode(fault.message)
  return new ModelError('MODEL_SHAPE_MISMATCH', `${origin}: ${fault.message}`)
}
