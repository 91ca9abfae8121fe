// SPDX-License-Identifier: Apache-2.0
import type { Kernels, Tensor, TensorSpec } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'
import type { ProgramBinder } from '../plan/program-binder.ts'
import type { WeightPlaces } from '../plan/weight-places.ts'
import type { Dimension, Program, ProgramPort, ProgramValue } from '../program/types.ts'
import type { Bindings } from './bindings.ts'
import { checkInputs, copyInputs, copyOutputs, type InputPort } from './port-copies.ts'
import { HeldState, type SessionState, type StateOptions } from './session-state.ts'

/** Bytes that a session holds. Code and the JavaScript heap are not in it. */
export interface MemoryReport {
  readonly arenaSizeBytes: number
  /** Weights that stay in memory. */
  readonly weightsSizeBytes: number
  /** For weights on their way into memory: none while all of them stay there. */
  readonly stagingSizeBytes: number
  /** The records, with the kernels' copy. */
  readonly programSizeBytes: number
  /** What kernels take beside, for operands that are gathered or transformed. */
  readonly scratchSizeBytes: number
}

export interface RunOptions {
  /** Of `createState`, where the query goes on from others; otherwise it begins anew. */
  readonly state?: SessionState
}

/** A model ready to answer: one lane, each query runs to its end. */
export interface Session {
  /** A name in a shape stands for a size that each query may choose. */
  readonly inputs: readonly TensorSpec[]
  /** `?` in a shape stands for a size that is worked out. */
  readonly outputs: readonly TensorSpec[]
  /** Instruction set of the kernels. */
  readonly isa: string
  readonly memoryReport: MemoryReport
  /**
   * Answers one query. Inputs are copied in and outputs copied out. What a query of these shapes has needed is kept for the
   * next one; its records then allocate nothing.
   * @param inputs exactly the tensors that `inputs` lists, by name
   * @param options with a state, the query begins with what it holds, and stages what it leaves: `commit` makes that the
   *   beginning of the next one. A run that throws stages nothing.
   * @throws KernelError `KERNEL_INPUT_*` naming the tensor, before anything has run; `PROGRAM_INVALID` for sizes that do not
   *   go together; `KERNEL_VALUE_INVALID` for an element out of range; `KERNEL_MEMORY_TOO_LARGE`, `PROGRAM_TOO_LARGE`,
   *   `KERNEL_BUDGET_TOO_SMALL`; `KERNEL_PAGE_INVALID`; `KERNEL_STATE_*`; `KERNEL_DISPOSED`; `KERNEL_BUSY`;
   *   `KERNEL_OPTION_INVALID` where `waitsForPages`
   */
  run(inputs: ReadonlyMap<string, Tensor>, options?: RunOptions): Map<string, Tensor>
  /** Whether weights come through JavaScript, between steps: then only `runAsync` answers. */
  readonly waitsForPages: boolean
  /** As `run`, also where it has to wait for pages. @throws as `run`, and what the pages throw */
  runAsync(inputs: ReadonlyMap<string, Tensor>, options?: RunOptions): Promise<Map<string, Tensor>>
  /**
   * A state for a sequence of queries; it holds nothing at first. Disposed with the session.
   * @throws KernelError `KERNEL_OPTION_INVALID`, `KERNEL_DISPOSED`
   */
  createState(options?: StateOptions): SessionState
  /** Zeroes and releases the memory, weights and last answer with it, and all states. */
  dispose(): void
}

function namedDim(program: Program, dim: Dimension): number | string | null {
  return typeof dim === 'number' || dim === null ? dim : (program.symbols[dim.symbol] as string)
}

function inputPort(program: Program, { name, value }: ProgramPort): InputPort {
  const { dtype, dims } = program.values[value] as ProgramValue
  return { name, dtype, dims: dims.map((dim) => namedDim(program, dim)) }
}

export interface SessionParts {
  readonly kernels: Kernels
  readonly binder: ProgramBinder
  readonly bindings: Bindings
  readonly places: WeightPlaces
  readonly scratchSizeBytes: number
  readonly stagingSizeBytes: number
  readonly waitsForPages: boolean
}

type Walk = Generator<Promise<void>, Map<string, Tensor>, undefined>

/** A session over kernels that are ready. @see createSession */
export class KernelSession implements Session {
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  readonly isa: string
  readonly waitsForPages: boolean
  readonly #places: WeightPlaces
  readonly #scratchSizeBytes: number
  readonly #stagingSizeBytes: number
  readonly #ports: readonly InputPort[]
  readonly #binder: ProgramBinder
  readonly #bindings: Bindings
  readonly #states = new Set<HeldState>()
  readonly #noState: HeldState
  #kernels: Kernels | null
  #isRunning = false

  constructor(parts: SessionParts) {
    const { kernels, binder, bindings } = parts
    const { program } = binder
    this.waitsForPages = parts.waitsForPages
    this.#places = parts.places
    this.#scratchSizeBytes = parts.scratchSizeBytes
    this.#stagingSizeBytes = parts.stagingSizeBytes
    this.#ports = program.inputs.map((port) => inputPort(program, port))
    const specOf = ({ name, dtype, dims }: InputPort): TensorSpec => ({
      name,
      dtype,
      shape: dims.map((dim) => dim ?? '?'),
    })
    this.inputs = this.#ports.map(specOf)
    this.outputs = program.outputs.map((port) => specOf(inputPort(program, port)))
    this.isa = kernels.isa
    this.#binder = binder
    this.#bindings = bindings
    this.#noState = new HeldState(program)
    this.#kernels = kernels
  }

  get memoryReport(): MemoryReport {
    return {
      arenaSizeBytes: Math.max(0, (this.#kernels?.memory.length ?? 0) - this.#binder.arenaBaseBytes),
      weightsSizeBytes: this.#places.ring?.baseBytes ?? this.#binder.program.weightsSizeBytes,
      stagingSizeBytes: this.#stagingSizeBytes,
      programSizeBytes: this.#bindings.recordsSizeBytes,
      scratchSizeBytes: this.#scratchSizeBytes,
    }
  }

  run(inputs: ReadonlyMap<string, Tensor>, options: RunOptions = {}): Map<string, Tensor> {
    if (this.waitsForPages) {
      throw new KernelError('KERNEL_OPTION_INVALID', 'weights come page by page here: use runAsync')
    }
    const walk = this.#begin(inputs, options)
    try {
      for (;;) {
        const { done, value } = walk.next()
        if (done === true) return value
      }
    } finally {
      this.#isRunning = false
    }
  }

  async runAsync(
    inputs: ReadonlyMap<string, Tensor>,
    options: RunOptions = {},
  ): Promise<Map<string, Tensor>> {
    const walk = this.#begin(inputs, options)
    try {
      for (let next = walk.next(); ; next = walk.next()) {
        if (next.done === true) return next.value
        try {
          await next.value
        } catch (error) {
          walk.throw(error)
        }
      }
    } finally {
      this.#isRunning = false
    }
  }

  #begin(inputs: ReadonlyMap<string, Tensor>, options: RunOptions): Walk {
    this.#live()
    if (this.#isRunning) throw new KernelError('KERNEL_BUSY', 'this session is answering another query')
    this.#isRunning = true
    return this.#walk(inputs, options)
  }

  /** Yields what has to be waited for, and ends with the answer. */
  *#walk(inputs: ReadonlyMap<string, Tensor>, options: RunOptions): Walk {
    const kernels = this.#live()
    const inputDims = checkInputs(this.#ports, inputs)
    const state = this.#stateOf(options)
    state?.discard()
    const held = state ?? this.#noState
    const root = this.#bindings.root([...inputDims, ...held.dimsFor(inputDims)])
    copyInputs(root.inputs, root.inputViews, inputs, kernels.memory)
    held.copyTo(root.states, kernels.memory)
    let { node } = root
    try {
      for (;;) {
        yield* node.runner.run()
        const { wanted, outputs, states } = node.runner.segment
        if (wanted === null) {
          const answer = copyOutputs(outputs, node.runner.outputViews, kernels.memory)
          state?.stage(states, kernels.memory)
          return answer
        }
        const next = this.#bindings.next(node)
        this.#bindings.release(node)
        node = next
      }
    } finally {
      this.#bindings.release(node)
    }
  }

  createState(options?: StateOptions): SessionState {
    this.#live()
    for (const state of this.#states) if (state.isDisposed) this.#states.delete(state)
    const state = new HeldState(this.#binder.program, options)
    this.#states.add(state)
    return state
  }

  dispose(): void {
    for (const state of this.#states) state.dispose()
    this.#states.clear()
    this.#bindings.dispose()
    this.#kernels?.dispose()
    this.#kernels = null
  }

  #live(): Kernels {
    if (this.#kernels === null) throw new KernelError('KERNEL_DISPOSED', 'this session is disposed')
    return this.#kernels
  }

  #stateOf({ state }: RunOptions): HeldState | undefined {
    if (state === undefined) return undefined
    if (state instanceof HeldState && this.#states.has(state) && !state.isDisposed) return state
    throw new KernelError('KERNEL_STATE_INVALID', 'the state is disposed, or of another session', {
      field: 'state',
    })
  }
}
