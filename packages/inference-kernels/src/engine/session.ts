// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Kernels, Tensor, TensorData, TensorSpec } from '@mlcapsule/contracts'
import { elementSizeBytes } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'
import type { BoundTensor } from '../plan/bound.ts'
import { ProgramBinder } from '../plan/program-binder.ts'
import { inputDims, stateSymbols } from '../program/bind-dims.ts'
import { decodeProgram } from '../program/decode.ts'
import { programLimits } from '../program/limits.ts'
import { isOfSizes } from '../program/program-error.ts'
import type { Dimension, Program, ProgramPort, ProgramValue } from '../program/types.ts'
import { validateProgram } from '../program/validate.ts'
import { Bindings } from './bindings.ts'
import { checkInputs, copyInputs, copyOutputs, type InputPort } from './port-copies.ts'
import { HeldState, type SessionState, type StateOptions } from './session-state.ts'
import { viewTensor } from './tensor-views.ts'
import { loadWeights, type WeightSource } from './weight-source.ts'

export interface SessionOptions {
  readonly kernels: KernelBackend
  /** Encoded, or as an object; validated either way. */
  readonly program: Program | Uint8Array
  readonly weights: WeightSource | Uint8Array
  /**
   * Sizes of all symbolic dimensions of inputs, to make ready for; those that only states have are 0 where not given. A
   * query may have others.
   */
  readonly symbols?: Readonly<Record<string, number>>
  /** As `symbols`, but a guess: where the program does not take these sizes, the first query makes it ready. */
  readonly guessedSymbols?: Readonly<Record<string, number>>
  /**
   * What queries may make arena and weights grow to, by default what 32-bit addresses reach. What the program needs to begin
   * with, all of it where its sizes are fixed, it has in any case.
   */
  readonly maxMemorySizeBytes?: number
  /** Threads that one step may use, 1 by default. */
  readonly threadCount?: number
}

/** Bytes that a session holds. Code and the JavaScript heap are not in it. */
export interface MemoryReport {
  readonly arenaSizeBytes: number
  readonly weightsSizeBytes: number
  /** For weights on their way into memory: none while all of them stay there. */
  readonly stagingSizeBytes: number
  /** The records. */
  readonly programSizeBytes: number
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
   *   go together; `KERNEL_VALUE_INVALID` for an element out of range; `KERNEL_MEMORY_TOO_LARGE`, `PROGRAM_TOO_LARGE`;
   *   `KERNEL_STATE_*`; `KERNEL_DISPOSED`
   */
  run(inputs: ReadonlyMap<string, Tensor>, options?: RunOptions): Map<string, Tensor>
  /**
   * A state for a sequence of queries; it holds nothing at first. Disposed with the session.
   * @throws KernelError `KERNEL_OPTION_INVALID`, `KERNEL_DISPOSED`
   */
  createState(options?: StateOptions): SessionState
  /** Zeroes and releases the memory, weights and last answer with it, and all states. */
  dispose(): void
}

/** Constants of up to this many elements can decide sizes. */
const knownElementCount = 4096

function namedDim(program: Program, dim: Dimension): number | string | null {
  return typeof dim === 'number' || dim === null ? dim : (program.symbols[dim.symbol] as string)
}

function inputPort(program: Program, { name, value }: ProgramPort): InputPort {
  const { dtype, dims } = program.values[value] as ProgramValue
  return { name, dtype, dims: dims.map((dim) => namedDim(program, dim)) }
}

class KernelSession implements Session {
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  readonly isa: string
  readonly #ports: readonly InputPort[]
  readonly #binder: ProgramBinder
  readonly #bindings: Bindings
  readonly #states = new Set<HeldState>()
  readonly #noState: HeldState
  #kernels: Kernels | null

  constructor(kernels: Kernels, binder: ProgramBinder, bindings: Bindings) {
    const { program } = binder
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
      weightsSizeBytes: this.#binder.program.weightsSizeBytes,
      stagingSizeBytes: 0,
      programSizeBytes: this.#bindings.recordsSizeBytes,
    }
  }

  run(inputs: ReadonlyMap<string, Tensor>, options: RunOptions = {}): Map<string, Tensor> {
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
        node.runner.run()
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

function validated(program: Program | Uint8Array): Program {
  if (program instanceof Uint8Array) return decodeProgram(program)
  validateProgram(program)
  return program
}

/** Whether the sizes of everything follow from the program alone. */
function isStatic({ symbols, steps }: Program): boolean {
  return symbols.length === 0 && steps.every(({ op }) => op !== 'operator' && op !== 'if')
}

/**
 * Makes a model ready: creates kernels, fills in the weights, lets the kernels prove themselves, and, where all sizes are
 * known, plans the program and lets them check every record. Memory grows when a query needs more.
 * @throws KernelError `PROGRAM_*`, `KERNEL_*`; whatever the source of weights throws. Nothing stays behind.
 */
export async function createSession(options: SessionOptions): Promise<Session> {
  const { threadCount = 1, maxMemorySizeBytes = programLimits.memorySizeBytes } = options
  const symbols = { ...options.guessedSymbols, ...options.symbols }
  const program = validated(options.program)
  const ofStates = stateSymbols(program)
  const sizes = Object.fromEntries(program.symbols.map((name) => [name, ofStates.includes(name) ? 0 : 1]))
  const dims = inputDims(program, { ...sizes, ...symbols })
  let kernels: Kernels | undefined
  const weightsContents = (place: BoundTensor): TensorData | null =>
    kernels === undefined || place.sizeBytes > knownElementCount * elementSizeBytes(place.dtype)
      ? null
      : (viewTensor(place, kernels.memory).slice() as TensorData)
  const binder = new ProgramBinder(program, { weightsBaseBytes: 0, weightsContents })
  const needed = isStatic(program) ? binder.begin(dims).segment.memorySizeBytes : binder.arenaBaseBytes
  const memorySizeBytes = Math.max(needed, 1)
  kernels = await options.kernels.create({
    memorySizeBytes,
    maxMemorySizeBytes: isStatic(program) ? memorySizeBytes : Math.max(memorySizeBytes, maxMemorySizeBytes),
    threadCount,
  })
  try {
    kernels.selfTest()
    await loadWeights(options.weights, kernels.memory.subarray(0, program.weightsSizeBytes))
    const bindings = new Bindings(binder, kernels)
    const isGiven = (name: string) => Object.hasOwn(symbols, name) || ofStates.includes(name)
    if (program.symbols.every(isGiven)) {
      try {
        bindings.root(dims)
      } catch (error) {
        if (options.guessedSymbols === undefined || !isOfSizes(error)) throw error
      }
    }
    return new KernelSession(kernels, binder, bindings)
  } catch (error) {
    kernels.dispose()
    throw error
  }
}
