// SPDX-License-Identifier: Apache-2.0
import { elementSizeBytes, type TensorData, type WeightStream } from '@mlcapsule/contracts'
import { entryValues, symbolSizes } from '../program/bind-dims.ts'
import { programLimits } from '../program/limits.ts'
import { failProgram } from '../program/program-error.ts'
import type { Program, ProgramPort, ProgramState, ProgramValue } from '../program/types.ts'
import { valueRoots } from '../program/value-roots.ts'
import { planArena } from './arena.ts'
import { type BindingContext, type BoundStep, StepBinder } from './bind-steps.ts'
import { type BindingState, forkState, initialState } from './binding-state.ts'
import type { BoundAction, BoundPort, BoundTensor } from './bound.ts'
import { FetchPlan } from './fetch-plan.ts'
import { lastReads } from './last-reads.ts'
import { lowerStep } from './lower-step.ts'
import { Lowering } from './lowering.ts'
import type { WeightPlaces } from './weight-places.ts'

/** Elements of a tensor that are kept for what comes after the step which asked for them. */
export const keptElementCount = 64

/**
 * A piece of a program with every size known: all of it, or as far as it can be bound before elements have to be read that
 * decide what comes next.
 */
export interface BoundSegment {
  readonly records: Int32Array
  /** How the weights come that do not stay in memory; null where all of them do. */
  readonly stream: WeightStream | null
  readonly actions: readonly BoundAction[]
  /** Index of the first record of each program step that this segment runs. */
  readonly firstRecords: ReadonlyMap<number, number>
  /** What has to be read, once the segment has run, to bind the next one; null if this is the last. */
  readonly wanted: readonly BoundTensor[] | null
  /** Of the last segment. */
  readonly outputs: readonly BoundPort[]
  /** What the states are then, in their order. Of the last segment. */
  readonly states: readonly BoundTensor[]
  readonly arenaSizeBytes: number
  /** What the kernels' memory must hold: weights and arena. */
  readonly memorySizeBytes: number
  readonly continuation: Continuation
}

/** What binding goes on from. */
export interface Continuation {
  readonly context: BindingContext
  readonly state: BindingState
  readonly wanted: readonly number[]
}

export interface BinderOptions {
  /** The arena follows them. */
  readonly weights: WeightPlaces
  /** Elements of a constant with few of them; null where they are not at hand. */
  readonly weightsContents: (place: BoundTensor) => TensorData | null
}

/** Binds one program, again and again. */
export class ProgramBinder {
  readonly program: Program
  readonly arenaBaseBytes: number
  readonly #options: BinderOptions
  readonly #roots: Int32Array
  readonly #lastReads: Int32Array

  /** @param program that `validateProgram` has accepted */
  constructor(program: Program, options: BinderOptions) {
    this.program = program
    this.#options = options
    this.#roots = valueRoots(program.values)
    this.#lastReads = lastReads(program, this.#roots)
    this.arenaBaseBytes = options.weights.endBytes
  }

  /**
   * Binds the program to the dims of what a query begins with.
   * @param entryDims one list per input, then one per state
   * @returns the first segment, and where inputs and states go
   * @throws KernelError `PROGRAM_INVALID`, `PROGRAM_TOO_LARGE` beyond 4 GiB, `PROGRAM_LIMIT_EXCEEDED`,
   *   `KERNEL_VALUE_INVALID`
   */
  begin(entryDims: readonly (readonly number[])[]): {
    readonly inputs: readonly BoundPort[]
    readonly states: readonly BoundTensor[]
    readonly segment: BoundSegment
  } {
    const { program } = this
    const context: BindingContext = {
      program,
      roots: this.#roots,
      lastReads: this.#lastReads,
      symbolSizes: symbolSizes(program, entryDims),
      weightsContents: (root) => this.#weightsContents(root),
    }
    const state = initialState(program.values.length, program.steps.length)
    const binder = new StepBinder(context, state, new Map())
    for (const [i, value] of entryValues(program).entries()) binder.addEntry(value, entryDims[i] ?? [])
    const segment = this.#bind(context, state, binder)
    return {
      inputs: program.inputs.map((port) => this.#port(port, state, binder)),
      states: program.states.map(({ input }) => this.#place(input, state, binder)),
      segment,
    }
  }

  /**
   * Binds what comes after a segment.
   * @param contents what the segment wanted, in its order, in memory of its own
   * @throws as `begin`
   */
  resume({ context, state: before, wanted }: Continuation, contents: readonly TensorData[]): BoundSegment {
    const state = forkState(before)
    const given = new Map<number, TensorData>()
    const binder = new StepBinder(context, state, given)
    for (const [i, value] of wanted.entries()) {
      const data = contents[i] as TensorData
      const target = data.length <= keptElementCount ? state.contents : given
      target.set(binder.rootOf(value), data)
    }
    return this.#bind(context, state, binder)
  }

  #bind(context: BindingContext, state: BindingState, binder: StepBinder): BoundSegment {
    const wanted = binder.run()
    this.#planArena(state)
    const { firstRecords, records, stream, actions } = this.#lower(state, binder)
    const { outputs, states } = this.program
    const isLast = wanted === null
    return {
      records,
      stream,
      actions,
      firstRecords,
      wanted: wanted?.map((value) => this.#place(value, state, binder)) ?? null,
      outputs: isLast ? outputs.map((port) => this.#port(port, state, binder)) : [],
      states: isLast ? states.map((_, i) => this.#stateAfter(i, state, binder)) : [],
      arenaSizeBytes: state.arenaSizeBytes,
      memorySizeBytes: this.arenaBaseBytes + state.arenaSizeBytes,
      continuation: { context, state, wanted: wanted ?? [] },
    }
  }

  #planArena(state: BindingState): void {
    const open = state.blocks.filter(({ offsetBytes }) => offsetBytes < 0)
    const fixed = state.blocks.filter(({ offsetBytes }) => offsetBytes >= 0)
    const plan = planArena(open, fixed)
    for (const [i, block] of open.entries()) block.offsetBytes = plan.offsetsBytes[i] as number
    state.arenaSizeBytes = Math.max(state.arenaSizeBytes, plan.sizeBytes)
    if (this.arenaBaseBytes + plan.sizeBytes > programLimits.memorySizeBytes) {
      const detail = `arena of ${plan.sizeBytes} and weights of ${this.program.weightsSizeBytes} bytes, together at most ${programLimits.memorySizeBytes}`
      failProgram('memory', detail, 'PROGRAM_TOO_LARGE')
    }
  }

  #lower(state: BindingState, binder: StepBinder) {
    const { addressOf, ring } = this.#options.weights
    const lowering = new Lowering(this.program, {
      dims: (value) => binder.dimsOf(value),
      address: (value) => this.#address(value, state, binder),
      isStreamed: (value) => addressOf(value) === null,
      fetches: ring === null ? null : new FetchPlan(ring),
    })
    const firstRecords = new Map<number, number>()
    const actions: BoundAction[] = []
    let flushed = 0
    const flush = () => {
      const count = lowering.recordCount - flushed
      if (count > 0) actions.push({ kind: 'records', first: flushed, count })
      flushed = lowering.recordCount
    }
    for (const bound of binder.bound) {
      if (bound.kind === 'kernel') {
        firstRecords.set(bound.stepIndex, lowering.recordCount)
        lowering.path = `steps[${bound.stepIndex}]`
        lowerStep(bound.step, lowering)
        continue
      }
      flush()
      actions.push(this.#action(bound, state, binder))
    }
    flush()
    return { firstRecords, actions, ...lowering.finish() }
  }

  #action(
    bound: Exclude<BoundStep, { kind: 'kernel' }>,
    state: BindingState,
    binder: StepBinder,
  ): BoundAction {
    const place = (value: number) => this.#place(value, state, binder)
    if (bound.kind === 'store') return { kind: 'store', to: place(bound.root), data: bound.data }
    const { operator, step, known, stepIndex } = bound
    const call = {
      operator,
      attributes: step.attributes,
      inputs: step.inputs.map((value) => (value === null ? null : place(value))),
      known,
      outputs: step.outputs.map(place),
      stepIndex,
    }
    return { kind: 'operator', call }
  }

  /** Where a value lies; 0 for one whose elements are known and written nowhere. */
  #address(value: number, state: BindingState, binder: StepBinder): number {
    const root = binder.rootOf(value)
    const { storage } = this.program.values[root] as ProgramValue
    if (storage.kind === 'weights') return this.#residentAddress(root)
    const block = state.blocks[state.blockOf[root] as number]
    return block === undefined ? 0 : this.arenaBaseBytes + block.offsetBytes
  }

  #place(value: number, state: BindingState, binder: StepBinder): BoundTensor {
    const { dtype } = this.program.values[value] as ProgramValue
    const shape = binder.dimsOf(value)
    const sizeBytes = shape.reduce((size, dim) => size * dim, elementSizeBytes(dtype))
    return { dtype, shape, addressBytes: this.#address(value, state, binder), sizeBytes }
  }

  #port({ name, value }: ProgramPort, state: BindingState, binder: StepBinder): BoundPort {
    return { name, ...this.#place(value, state, binder) }
  }

  /** What a query leaves must be something that the next one can begin with. */
  #stateAfter(index: number, state: BindingState, binder: StepBinder): BoundTensor {
    const { input, output } = this.program.states[index] as ProgramState
    const place = this.#place(output, state, binder)
    for (const [d, dim] of (this.program.values[input] as ProgramValue).dims.entries()) {
      if (typeof dim !== 'number' || dim === place.shape[d]) continue
      failProgram(`states[${index}].output`, `dimension ${d}: expected ${dim}, got ${place.shape[d]}`)
    }
    return place
  }

  #weightsContents(root: number): TensorData | null {
    const { dtype, dims, storage, layout } = this.program.values[root] as ProgramValue
    if (storage.kind !== 'weights' || layout !== 'row-major') return null
    const addressBytes = this.#residentAddress(root)
    const shape = dims as readonly number[]
    return this.#options.weightsContents({ dtype, shape, addressBytes, sizeBytes: storage.sizeBytes })
  }

  #residentAddress(root: number): number {
    return (
      this.#options.weights.addressOf(root) ?? failProgram(`values[${root}]`, 'its weights are not in memory')
    )
  }
}
