// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'
import { makeRecord } from '../records/record.ts'
import { referenceKernels } from '../reference/reference-kernels.ts'
import type { SeededRandom } from './random.ts'

/** One record, what memory holds before it runs, and how far its answer may lie from the reference. */
export interface Problem {
  readonly record: Int32Array
  readonly memory: Uint8Array
  readonly outputStart: number
  readonly outputEnd: number
  /**
   * Largest accepted error of each output element. Absent: bits must be equal.
   * @param expected the reference's answer
   */
  readonly tolerance?: (index: number, expected: number) => number
}

/** Lays out the operands of a problem, apart from each other and at odd places. */
export class ProblemMemory {
  readonly #random: SeededRandom
  readonly #parts: { readonly start: number; readonly bytes: Uint8Array }[] = []
  #end = 0

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** Reserves bytes. @returns their address */
  place(bytes: Uint8Array, alignment: number): number {
    const gap = this.#random.int(0, 5) * alignment
    const start = Math.ceil((this.#end + gap) / alignment) * alignment
    this.#parts.push({ start, bytes })
    this.#end = start + bytes.length
    return start
  }

  floats(values: Float32Array, alignment = 4): number {
    return this.place(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), alignment)
  }

  /** Random floats. */
  randomFloats(count: number, alignment = 4): number {
    return this.floats(this.#random.floats(count), alignment)
  }

  /** The memory, with noise wherever nothing was placed, so that a stray write or read shows. */
  build(): Uint8Array {
    const memory = Uint8Array.from({ length: this.#end + 64 }, () => this.#random.int(0, 255))
    for (const { start, bytes } of this.#parts) memory.set(bytes, start)
    return memory
  }
}

async function runOn(backend: KernelBackend, problem: Problem, threadCount: number): Promise<Uint8Array> {
  const kernels = await backend.create({ memorySizeBytes: problem.memory.length, threadCount })
  try {
    kernels.memory.set(problem.memory)
    kernels.runStep(kernels.load(problem.record), 0)
    return kernels.memory.slice()
  } finally {
    kernels.dispose()
  }
}

/** The same record over absolute values: what rounding errors are measured by. */
export async function magnitudes(
  op: 'conv2d' | 'depthwiseConv2d' | 'dense' | 'matmul',
  fields: Parameters<typeof makeRecord>[1],
  memory: Uint8Array,
  outputStart: number,
  outputCount: number,
): Promise<Float32Array> {
  const plain = { ...fields, activation: 0 }
  const absolute = memory.slice()
  const floats = new Float32Array(absolute.buffer, 0, Math.floor(absolute.length / 4))
  for (const [i, value] of floats.entries()) floats[i] = Math.abs(value)
  const record = makeRecord(op, plain as never)
  const problem = { record, memory: absolute, outputStart, outputEnd: outputStart + 4 * outputCount }
  const answer = await runOn(referenceKernels, problem, 1)
  return new Float32Array(answer.slice(outputStart, problem.outputEnd).buffer)
}

function wrong(detail: string): never {
  throw new KernelError('KERNEL_SELF_TEST_FAILED', detail)
}

/**
 * Runs a problem on a backend and on the reference.
 * @throws KernelError `KERNEL_SELF_TEST_FAILED` saying which element is off, or which byte was touched
 */
export async function assertSolves(
  backend: KernelBackend,
  problem: Problem,
  name: string,
  threadCount: number,
) {
  const actual = await runOn(backend, problem, threadCount)
  const expected = await runOn(referenceKernels, problem, 1)
  const { outputStart, outputEnd, memory, tolerance } = problem
  for (const [i, byte] of actual.entries()) {
    const isOutput = i >= outputStart && i < outputEnd
    const wanted = isOutput ? expected[i] : memory[i]
    if ((!isOutput || tolerance === undefined) && byte !== wanted) {
      wrong(
        `${name}: byte ${i} is ${byte}, expected ${wanted} (the output is ${outputStart} to ${outputEnd})`,
      )
    }
  }
  if (tolerance === undefined) return
  const got = new Float32Array(actual.slice(outputStart, outputEnd).buffer)
  const want = new Float32Array(expected.slice(outputStart, outputEnd).buffer)
  for (const [i, value] of want.entries()) {
    const answer = got[i] as number
    if (Object.is(answer, value) || answer === value) continue
    const error = Math.abs(answer - value)
    const bound = tolerance(i, value)
    // A bound that grows with the answer is infinite beside an infinite one: nothing but that very answer will do.
    if (!(error <= bound) || !Number.isFinite(value)) {
      wrong(
        `${name}: element ${i} is ${answer}, expected ${value}, off by ${error}, at most ${bound} is accepted`,
      )
    }
  }
}
