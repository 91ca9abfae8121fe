// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Kernels, ProgramHandle, Tensor, TensorSpec } from '@mlcapsule/contracts'
import { recordWordCount } from '../abi.generated.ts'
import { KernelError } from '../errors.ts'
import { type BoundPort, type BoundProgram, planProgram } from '../plan/plan-program.ts'
import { decodeProgram } from '../program/decode.ts'
import type { Program } from '../program/types.ts'
import { validateProgram } from '../program/validate.ts'
import { copyInputs, copyOutputs, type PortView, viewPorts } from './port-copies.ts'
import { loadWeights, type WeightSource } from './weight-source.ts'

export interface SessionOptions {
  readonly kernels: KernelBackend
  /** Encoded, or as an object; validated either way. */
  readonly program: Program | Uint8Array
  readonly weights: WeightSource | Uint8Array
  /** A positive integer for each symbolic dimension of the program, e.g. the batch. */
  readonly symbols?: Readonly<Record<string, number>>
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

/** A model ready to answer: one lane, each query runs to its end. */
export interface Session {
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  /** Instruction set of the kernels. */
  readonly isa: string
  readonly memoryReport: MemoryReport
  /**
   * Answers one query. Inputs are copied in and outputs copied out; steps allocate nothing.
   * @param inputs exactly the tensors that `inputs` lists, by name
   * @throws KernelError `KERNEL_INPUT_*` naming the tensor, before anything has run; `KERNEL_DISPOSED`
   */
  run(inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor>
  /** Zeroes and releases the memory, weights and last answer with it. */
  dispose(): void
}

const specOf = ({ name, dtype, shape }: BoundPort): TensorSpec => ({ name, dtype, shape })

class KernelSession implements Session {
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  readonly isa: string
  readonly memoryReport: MemoryReport
  readonly #handle: ProgramHandle
  readonly #recordCount: number
  #kernels: Kernels | null
  #inputViews: readonly PortView[]
  #outputViews: readonly PortView[]

  constructor(kernels: Kernels, bound: BoundProgram) {
    this.inputs = bound.inputs.map(specOf)
    this.outputs = bound.outputs.map(specOf)
    this.isa = kernels.isa
    this.memoryReport = {
      arenaSizeBytes: bound.arenaSizeBytes,
      weightsSizeBytes: bound.weightsSizeBytes,
      stagingSizeBytes: 0,
      programSizeBytes: bound.steps.byteLength,
    }
    this.#kernels = kernels
    this.#handle = kernels.load(bound.steps)
    this.#recordCount = bound.steps.length / recordWordCount
    this.#inputViews = viewPorts(bound.inputs, kernels.memory)
    this.#outputViews = viewPorts(bound.outputs, kernels.memory)
  }

  run(inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const kernels = this.#kernels
    if (kernels === null) throw new KernelError('KERNEL_DISPOSED', 'this session is disposed')
    copyInputs(this.#inputViews, inputs)
    kernels.runSteps(this.#handle, 0, this.#recordCount)
    return copyOutputs(this.#outputViews)
  }

  dispose(): void {
    this.#kernels?.dispose()
    this.#kernels = null
    this.#inputViews = []
    this.#outputViews = []
  }
}

function validated(program: Program | Uint8Array): Program {
  if (program instanceof Uint8Array) return decodeProgram(program)
  validateProgram(program)
  return program
}

/**
 * Makes a model ready: plans the program, creates kernels with exactly the memory that it needs, fills in the weights,
 * and lets the kernels prove themselves and check every record.
 * @throws KernelError `PROGRAM_*`, `KERNEL_*`; whatever the source of weights throws. Nothing stays behind.
 */
export async function createSession(options: SessionOptions): Promise<Session> {
  const { symbols = {}, threadCount = 1 } = options
  const bound = planProgram(validated(options.program), { symbols })
  const memorySizeBytes = Math.max(bound.memorySizeBytes, 1)
  const kernels = await options.kernels.create({ memorySizeBytes, threadCount })
  try {
    kernels.selfTest()
    const { weightsBaseBytes, weightsSizeBytes } = bound
    const target = kernels.memory.subarray(weightsBaseBytes, weightsBaseBytes + weightsSizeBytes)
    await loadWeights(options.weights, target)
    return new KernelSession(kernels, bound)
  } catch (error) {
    kernels.dispose()
    throw error
  }
}
