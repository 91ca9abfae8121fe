// SPDX-License-Identifier: Apache-2.0
import type { Kernels, ProgramHandle } from '@mlcapsule/contracts'
import { recordWordCount } from '../abi.generated.ts'
import { KernelError } from '../errors.ts'
import { assertGrowth, growthError, handleError } from '../records/memory-options.ts'
import { recordError, recordListError } from '../records/record-error.ts'
import { assertStepRange } from '../records/step-range.ts'
import type { Threads } from '../threads/threads.ts'
import { pageSizeBytes } from './wasm-memory.ts'
import type { KernelsExports, ThreadedExports } from './wasm-module.ts'

/** Records of one program, each with its own view, so that running a step makes nothing. */
type LoadedProgram = readonly Int32Array[]

/** The threads of kernels, and how they are told. */
interface Team {
  readonly threads: Threads
  readonly exports: ThreadedExports
}

interface WasmKernelsParts {
  readonly exports: KernelsExports
  readonly wasmMemory: WebAssembly.Memory
  readonly baseBytes: number
  readonly memorySizeBytes: number
  readonly maxMemorySizeBytes: number
  /** With more than one worker. */
  readonly team?: Team
}

/** One instance of a module with its memory, and its threads where it has any. */
export class WasmKernels implements Kernels {
  readonly isa: string
  readonly #exports: KernelsExports
  readonly #wasmMemory: WebAssembly.Memory
  readonly #maxMemorySizeBytes: number
  readonly #team: Team | undefined
  readonly #programs: (LoadedProgram | undefined)[] = []
  #slot: Int32Array
  #memory: Uint8Array

  constructor({
    exports,
    wasmMemory,
    baseBytes,
    memorySizeBytes,
    maxMemorySizeBytes,
    team,
  }: WasmKernelsParts) {
    const isa = exports.isRelaxed() === 1 ? 'wasm-relaxed-simd' : 'wasm-simd128'
    this.isa = team === undefined ? isa : `${isa}-threads`
    this.#exports = exports
    this.#wasmMemory = wasmMemory
    this.#maxMemorySizeBytes = maxMemorySizeBytes
    this.#team = team
    this.#memory = new Uint8Array(wasmMemory.buffer, baseBytes, memorySizeBytes)
    this.#slot = new Int32Array(wasmMemory.buffer, exports.recordSlot() >>> 0, recordWordCount)
  }

  get memory(): Uint8Array {
    return this.#memory
  }

  load(records: Int32Array): ProgramHandle {
    this.#assertAlive()
    if (records.length % recordWordCount !== 0) throw recordListError(records.length)
    // The copy is private: what was checked is what runs.
    const copy = Int32Array.from(records)
    const program: Int32Array[] = []
    for (let at = 0; at < copy.length; at += recordWordCount) {
      const record = copy.subarray(at, at + recordWordCount)
      this.#slot.set(record)
      const word = this.#exports.checkRecord(this.#memory.length)
      if (word >= 0) throw recordError(copy, program.length, word)
      program.push(record)
    }
    const free = this.#programs.indexOf(undefined)
    const place = free >= 0 ? free : this.#programs.length
    this.#programs[place] = program
    return place as ProgramHandle
  }

  unload(handle: ProgramHandle): void {
    this.#assertAlive()
    const program = this.#programs[handle]
    if (program === undefined) throw handleError(handle)
    for (const record of program) record.fill(0)
    this.#programs[handle] = undefined
  }

  grow(memorySizeBytes: number): void {
    this.#assertAlive()
    assertGrowth(memorySizeBytes, this.#memory.length, this.#maxMemorySizeBytes)
    const { byteOffset } = this.#memory
    const missing = byteOffset + memorySizeBytes - this.#wasmMemory.buffer.byteLength
    try {
      if (missing > 0) this.#wasmMemory.grow(Math.ceil(missing / pageSizeBytes))
    } catch (cause) {
      throw growthError(memorySizeBytes, cause)
    }
    this.#memory = new Uint8Array(this.#wasmMemory.buffer, byteOffset, memorySizeBytes)
    this.#slot = new Int32Array(this.#wasmMemory.buffer, this.#exports.recordSlot() >>> 0, recordWordCount)
  }

  runStep(handle: ProgramHandle, stepIndex: number): void {
    this.runSteps(handle, stepIndex, 1)
  }

  runSteps(handle: ProgramHandle, firstStep: number, stepCount: number): void {
    this.#assertAlive()
    const program = this.#programs[handle]
    assertStepRange(program?.length, handle, firstStep, stepCount)
    try {
      for (let i = firstStep; i < firstStep + stepCount; i++) {
        this.#slot.set(program?.[i] as Int32Array)
        this.#exports.runRecord(this.#memory.length)
      }
    } finally {
      this.#rest()
    }
  }

  selfTest(): void {
    this.#assertAlive()
    const failed = this.#exports.selfTest()
    this.#rest()
    if (failed !== 0) throw new KernelError('KERNEL_SELF_TEST_FAILED', `${this.isa}: test ${failed} failed`)
  }

  dispose(): void {
    this.#team?.exports.stopThreads()
    this.#team?.threads.end()
    this.#memory.fill(0)
    this.#memory = new Uint8Array(0)
    this.#exports.wipe()
    for (const program of this.#programs) for (const record of program ?? []) record.fill(0)
    this.#programs.length = 0
  }

  /** Lets threads sleep, and finds out whether they did what they were given. */
  #rest(): void {
    if (this.#team === undefined) return
    const { threads, exports } = this.#team
    if (exports.restThreads() === 1 && !threads.isLost) return
    throw new KernelError('KERNEL_THREAD_LOST', 'a thread has ended; these kernels are of no more use')
  }

  #assertAlive(): void {
    if (this.#memory.length === 0) throw new KernelError('KERNEL_DISPOSED', 'these kernels are disposed')
  }
}
