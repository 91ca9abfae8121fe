// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, KernelBackendOptions, Kernels, ProgramHandle } from '@mlcapsule/contracts'
import { recordWordCount } from '../abi.generated.ts'
import { KernelError } from '../errors.ts'
import { assertGrowth, assertMemoryOptions, growthError, handleError } from '../records/memory-options.ts'
import { recordError, recordListError } from '../records/record-error.ts'
import { assertStepRange } from '../records/step-range.ts'
import { assertThreads, mayWait, type StartThread, Threads } from '../threads/threads.ts'
import { createMemory, pageSizeBytes } from './wasm-memory.ts'
import {
  bestModuleBytes,
  bundledModuleBytes,
  compileModule,
  instantiateModule,
  type KernelsExports,
  type ThreadedExports,
} from './wasm-module.ts'

const maxThreadCount = 64

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

class WasmKernels implements Kernels {
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

function assertOptions(options: KernelBackendOptions): void {
  const { threadCount = 1 } = options
  assertMemoryOptions(options)
  if (!Number.isSafeInteger(threadCount) || threadCount < 1 || threadCount > maxThreadCount) {
    const detail = `expected an integer from 1 to ${maxThreadCount}, got ${threadCount}`
    throw new KernelError('KERNEL_OPTION_INVALID', detail, { field: 'threadCount' })
  }
}

/** Where the module lets the kernels' memory begin, read from an instance that is made for nothing else. */
async function readMemoryBase(module: WebAssembly.Module, workerCount: number): Promise<number> {
  const isThreaded = workerCount > 1
  const probe = new WebAssembly.Memory({ initial: 128, maximum: 128, shared: isThreaded })
  return (await instantiateModule(module, probe, isThreaded)).memoryBase(workerCount) >>> 0
}

/** Keeps what was made. A failure is not kept: an engine that is short of memory may compile later. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}

interface Sizes {
  readonly memorySizeBytes: number
  readonly maxMemorySizeBytes: number
}

async function createThreaded(
  module: WebAssembly.Module,
  start: StartThread,
  workerCount: number,
  sizes: Sizes,
): Promise<Kernels> {
  const baseBytes = await readMemoryBase(module, workerCount)
  const memory = createMemory({ ...sizes, baseBytes, shared: true })
  const exports = await instantiateModule(module, memory, true)
  exports.beginThreads(workerCount, mayWait(memory) ? 1 : 0)
  const threads = new Threads()
  const tasks = Array.from({ length: workerCount - 1 }, (_, i) => ({ module, memory, worker: i + 1 }))
  await threads.start(start, tasks)
  return new WasmKernels({ exports, wasmMemory: memory, baseBytes, ...sizes, team: { threads, exports } })
}

export interface WasmKernelsOptions {
  /** The module for one thread, by default the faster one of this package that the engine takes: with relaxed SIMD, or without. */
  readonly moduleBytes?: Uint8Array<ArrayBuffer>
  /** How threads are started. Without it, `create` refuses a `threadCount` above 1. */
  readonly startThread?: StartThread
}

/**
 * The WebAssembly kernels: 128-bit SIMD, any modern browser or Node. More than one thread takes shared memory, relaxed SIMD and
 * a way to start threads; where one of them is missing, `create` throws `KERNEL_THREADS_UNAVAILABLE`.
 */
export function createWasmKernels(options: WasmKernelsOptions = {}): KernelBackend {
  const single = once(async () => {
    const module = await compileModule(options.moduleBytes ?? bestModuleBytes())
    return { module, baseBytes: await readMemoryBase(module, 1) }
  })
  const threaded = once(() => compileModule(bundledModuleBytes('threads')))
  return {
    kind: 'kernel-backend',
    name: 'wasm',
    version: 1,
    async create(createOptions) {
      assertOptions(createOptions)
      const { memorySizeBytes, maxMemorySizeBytes = memorySizeBytes, threadCount = 1 } = createOptions
      const sizes = { memorySizeBytes, maxMemorySizeBytes }
      let kernels: Kernels
      if (threadCount > 1) {
        const start = assertThreads(options.startThread, () => bundledModuleBytes('threads'))
        kernels = await createThreaded(await threaded(), start, threadCount, sizes)
      } else {
        const { module, baseBytes } = await single()
        const memory = createMemory({ ...sizes, baseBytes, shared: false })
        const exports = await instantiateModule(module, memory, false)
        kernels = new WasmKernels({ exports, wasmMemory: memory, baseBytes, ...sizes })
      }
      try {
        kernels.selfTest()
        return kernels
      } catch (error) {
        kernels.dispose()
        throw error
      }
    },
  }
}

/** The WebAssembly kernels with the modules that this package carries, on one thread. */
export const wasmKernels: KernelBackend = createWasmKernels()
