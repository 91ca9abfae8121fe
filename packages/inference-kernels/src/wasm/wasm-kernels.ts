// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, KernelBackendOptions, Kernels, ProgramHandle } from '@mlcapsule/contracts'
import { recordWordCount } from '../abi.generated.ts'
import { KernelError } from '../errors.ts'
import { assertGrowth, assertMemoryOptions, growthError, handleError } from '../records/memory-options.ts'
import { recordError, recordListError } from '../records/record-error.ts'
import { scratchSizeBytes } from '../records/scratch-size.ts'
import { assertStepRange } from '../records/step-range.ts'
import { bestModuleBytes, compileModule, instantiateModule, type KernelsExports } from './wasm-module.ts'

const pageSizeBytes = 65_536
const maxPageCount = 65_536

/** Records of one program, each with its own view, so that running a step makes nothing. */
type LoadedProgram = readonly Int32Array[]

class WasmKernels implements Kernels {
  readonly isa: string
  readonly #exports: KernelsExports
  readonly #wasmMemory: WebAssembly.Memory
  readonly #maxMemorySizeBytes: number
  readonly #programs: (LoadedProgram | undefined)[] = []
  #slot: Int32Array
  #memory: Uint8Array

  constructor(
    exports: KernelsExports,
    wasmMemory: WebAssembly.Memory,
    memorySizeBytes: number,
    maxMemorySizeBytes: number,
  ) {
    this.isa = exports.isRelaxed() === 1 ? 'wasm-relaxed-simd' : 'wasm-simd128'
    this.#exports = exports
    this.#wasmMemory = wasmMemory
    this.#maxMemorySizeBytes = maxMemorySizeBytes
    this.#memory = new Uint8Array(wasmMemory.buffer, exports.memoryBase() >>> 0, memorySizeBytes)
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
    for (let i = firstStep; i < firstStep + stepCount; i++) {
      this.#slot.set(program?.[i] as Int32Array)
      this.#exports.runRecord(this.#memory.length)
    }
  }

  selfTest(): void {
    this.#assertAlive()
    const failed = this.#exports.selfTest()
    if (failed !== 0) throw new KernelError('KERNEL_SELF_TEST_FAILED', `${this.isa}: test ${failed} failed`)
  }

  dispose(): void {
    this.#memory.fill(0)
    this.#memory = new Uint8Array(0)
    this.#exports.wipe()
    for (const program of this.#programs) for (const record of program ?? []) record.fill(0)
    this.#programs.length = 0
  }

  #assertAlive(): void {
    if (this.#memory.length === 0) throw new KernelError('KERNEL_DISPOSED', 'these kernels are disposed')
  }
}

function assertOptions(options: KernelBackendOptions): void {
  const { threadCount = 1 } = options
  assertMemoryOptions(options)
  if (!Number.isSafeInteger(threadCount) || threadCount < 1) {
    const detail = `expected a positive integer, got ${threadCount}`
    throw new KernelError('KERNEL_OPTION_INVALID', detail, { field: 'threadCount' })
  }
}

function createMemory(sizeBytes: number, maxSizeBytes: number, baseBytes: number): WebAssembly.Memory {
  const pageCount = Math.ceil((baseBytes + sizeBytes) / pageSizeBytes)
  const maximum = Math.min(Math.ceil((baseBytes + maxSizeBytes) / pageSizeBytes), maxPageCount)
  const tooLarge = (cause?: unknown) =>
    new KernelError(
      'KERNEL_MEMORY_TOO_LARGE',
      `asked for ${sizeBytes} bytes, WebAssembly gives at most ${maxPageCount * pageSizeBytes - baseBytes}`,
      { field: 'memorySizeBytes', cause },
    )
  if (pageCount > maxPageCount) throw tooLarge()
  try {
    return new WebAssembly.Memory({ initial: pageCount, maximum })
  } catch (cause) {
    throw tooLarge(cause)
  }
}

/** Where the module lets the kernels' memory begin, read from an instance that is made for nothing else. */
async function readMemoryBase(module: WebAssembly.Module): Promise<number> {
  const probe = new WebAssembly.Memory({ initial: 128, maximum: 128 })
  return (await instantiateModule(module, probe)).memoryBase() >>> 0
}

/**
 * The WebAssembly kernels: 128-bit SIMD, one thread, any modern browser or Node. `threadCount` is accepted and unused.
 * @param bytes the module, by default the faster one of this package that the engine takes: with relaxed SIMD, or without
 */
export function createWasmKernels(bytes?: Uint8Array<ArrayBuffer>): KernelBackend {
  let compiled: Promise<{ module: WebAssembly.Module; baseBytes: number }> | undefined
  const compile = async () => {
    const module = await compileModule(bytes ?? bestModuleBytes())
    return { module, baseBytes: await readMemoryBase(module) }
  }
  return {
    kind: 'kernel-backend',
    name: 'wasm',
    version: 1,
    scratchSizeBytes,
    async create(options) {
      assertOptions(options)
      // A failure is not kept: an engine that is short of memory may compile later.
      compiled ??= compile().catch((error: unknown) => {
        compiled = undefined
        throw error
      })
      const { module, baseBytes } = await compiled
      const { memorySizeBytes, maxMemorySizeBytes = memorySizeBytes } = options
      const memory = createMemory(memorySizeBytes, maxMemorySizeBytes, baseBytes)
      const exports = await instantiateModule(module, memory)
      const kernels = new WasmKernels(exports, memory, memorySizeBytes, maxMemorySizeBytes)
      kernels.selfTest()
      return kernels
    },
  }
}

/** The WebAssembly kernels with the modules that this package carries. */
export const wasmKernels: KernelBackend = createWasmKernels()
