// SPDX-License-Identifier: Apache-2.0
import type {
  KernelBackend,
  KernelBackendOptions,
  Kernels,
  ProgramHandle,
  SealedPages,
  WeightStream,
} from '@mlcapsule/contracts'
import { recordWordCount } from '../abi.generated.ts'
import { KernelError } from '../errors.ts'
import { assertGrowth, assertMemoryOptions, growthError, handleError } from '../records/memory-options.ts'
import { pageError } from '../records/page-error.ts'
import { recordError, recordListError } from '../records/record-error.ts'
import { scratchSizeBytes } from '../records/scratch-size.ts'
import { assertStepRange } from '../records/step-range.ts'
import { type Addon, type AddonHandle, defaultAddonPath, loadAddon } from './addon.ts'

const maxMemorySizeBytes = 2 ** 32
const maxThreadCount = 64
/** Between two looks at how far the thread that fills in pages has come. */
const lookAgainMs = 1

export interface NativeKernelsOptions {
  /** Path of the addon, by default where this package's build puts it. */
  readonly addonPath?: string
  /** Instruction set to use, by default the best that this CPU has. */
  readonly isa?: string
}

function memoryOf(addon: Addon, handle: AddonHandle): Uint8Array {
  try {
    return new Uint8Array(addon.memory(handle))
  } catch (cause) {
    const detail = 'this JavaScript engine does not take memory from outside its heap; use the wasm kernels'
    throw new KernelError('KERNEL_BACKEND_UNAVAILABLE', detail, { cause })
  }
}

const noWords = new Uint32Array(0)

function streamWords({ pages, addressesBytes, freedBy, neededBy }: WeightStream): Uint32Array {
  return Uint32Array.from([pages.length, ...pages, ...addressesBytes, ...freedBy, ...neededBy])
}

function streamError(detail: string): KernelError {
  return new KernelError('KERNEL_STREAM_INVALID', detail, { field: 'stream' })
}

class NativeKernels implements Kernels {
  readonly isa: string
  readonly #addon: Addon
  readonly #handle: AddonHandle
  /** Steps of each loaded program, by its number. */
  readonly #stepCounts: (number | undefined)[] = []
  readonly #maxMemorySizeBytes: number
  #memory: Uint8Array

  constructor(addon: Addon, handle: AddonHandle, isa: string, maxMemorySizeBytes: number) {
    this.#addon = addon
    this.#handle = handle
    this.isa = isa
    this.#maxMemorySizeBytes = maxMemorySizeBytes
    this.#memory = memoryOf(addon, handle)
  }

  get memory(): Uint8Array {
    return this.#memory
  }

  attachPages(pages: SealedPages): boolean {
    this.#assertAlive()
    const { fileDescriptor, offsetBytes, pageSizeBytes, pageCount, key, nonces, associatedData } = pages
    return this.#addon.attachPages(
      this.#handle,
      fileDescriptor,
      offsetBytes,
      pageSizeBytes,
      pageCount,
      key,
      nonces,
      associatedData,
    )
  }

  detachPages(): boolean {
    this.#assertAlive()
    return this.#addon.detachPages(this.#handle)
  }

  async fillPages(
    pages: Uint32Array,
    addressesBytes: Uint32Array,
    onFilled: (pageCount: number) => void,
  ): Promise<number> {
    this.#assertAlive()
    const freedBy = new Uint32Array(pages.length)
    const neededBy = Uint32Array.of(pages.length)
    if (!this.#addon.fill(this.#handle, streamWords({ pages, addressesBytes, freedBy, neededBy }))) {
      throw streamError('no pages are attached, or what is to be filled leaves them or the memory')
    }
    for (;;) {
      const count = this.#addon.filled(this.#handle)
      if (count < 0) return -1 - count
      onFilled(count)
      if (count === pages.length) return count
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
      this.#assertAlive()
    }
  }

  load(records: Int32Array, stream?: WeightStream): ProgramHandle {
    this.#assertAlive()
    if (records.length % recordWordCount !== 0) throw recordListError(records.length)
    const result = this.#addon.load(
      this.#handle,
      records,
      stream === undefined ? noWords : streamWords(stream),
    )
    if (result === -2) {
      throw streamError('no pages are attached, or the stream leaves them or the memory, or waits for itself')
    }
    if (result === -1) {
      const detail = 'too many records, too many loaded programs, or no memory for a copy'
      throw new KernelError('KERNEL_MEMORY_TOO_LARGE', detail, { field: 'records' })
    }
    if (result < 0) {
      const fault = -3 - result
      throw recordError(records, Math.floor(fault / recordWordCount), fault % recordWordCount)
    }
    this.#stepCounts[result] = records.length / recordWordCount
    return result as ProgramHandle
  }

  unload(handle: ProgramHandle): void {
    this.#assertAlive()
    if (this.#stepCounts[handle] === undefined || !this.#addon.unload(this.#handle, handle))
      throw handleError(handle)
    this.#stepCounts[handle] = undefined
  }

  grow(memorySizeBytes: number): void {
    this.#assertAlive()
    assertGrowth(memorySizeBytes, this.#memory.length, this.#maxMemorySizeBytes)
    if (!this.#addon.grow(this.#handle, memorySizeBytes)) throw growthError(memorySizeBytes)
    this.#memory = memoryOf(this.#addon, this.#handle)
  }

  runStep(handle: ProgramHandle, stepIndex: number): void {
    this.runSteps(handle, stepIndex, 1)
  }

  runSteps(handle: ProgramHandle, firstStep: number, stepCount: number): void {
    this.#assertAlive()
    assertStepRange(this.#stepCounts[handle], handle, firstStep, stepCount)
    const status = this.#addon.run(this.#handle, handle, firstStep, stepCount)
    if (status === 2) throw pageError()
    if (status === 0) {
      const detail = `records with a stream run from the first one on, in order, not from ${firstStep}`
      throw new KernelError('KERNEL_HANDLE_INVALID', detail, { field: 'firstStep' })
    }
  }

  selfTest(): void {
    this.#assertAlive()
    const failed = this.#addon.selfTest(this.#handle)
    if (failed !== 0) throw new KernelError('KERNEL_SELF_TEST_FAILED', `${this.isa}: test ${failed} failed`)
  }

  dispose(): void {
    this.#addon.dispose(this.#handle)
    this.#memory = new Uint8Array(0)
  }

  #assertAlive(): void {
    if (this.#memory.length === 0) throw new KernelError('KERNEL_DISPOSED', 'these kernels are disposed')
  }
}

function assertOptions(options: KernelBackendOptions): void {
  const { threadCount = 1 } = options
  const { maxMemorySizeBytes: memorySizeBytes } = assertMemoryOptions(options)
  if (!Number.isSafeInteger(threadCount) || threadCount < 1 || threadCount > maxThreadCount) {
    const detail = `expected an integer from 1 to ${maxThreadCount}, got ${threadCount}`
    throw new KernelError('KERNEL_OPTION_INVALID', detail, { field: 'threadCount' })
  }
  if (memorySizeBytes > maxMemorySizeBytes) {
    const detail = `asked for ${memorySizeBytes} bytes, addresses reach ${maxMemorySizeBytes}`
    throw new KernelError('KERNEL_MEMORY_TOO_LARGE', detail, { field: 'memorySizeBytes' })
  }
}

function chooseIsa(addon: Addon, wanted: string | undefined): string {
  const isas = addon.listIsas()
  const isa = wanted ?? isas[0]
  if (isa === undefined || !isas.includes(isa)) {
    const detail = `this machine runs ${isas.join(', ')}, not ${wanted}`
    throw new KernelError('KERNEL_BACKEND_UNAVAILABLE', detail, { field: 'isa' })
  }
  return isa
}

/**
 * The instruction sets that the addon and this CPU share, best first.
 * @throws KernelError `KERNEL_BACKEND_UNAVAILABLE` without an addon
 */
export function listNativeIsas(addonPath: string = defaultAddonPath()): readonly string[] {
  return loadAddon(addonPath).listIsas()
}

/** The native kernels: SIMD picked at run time, threads, memory outside the JavaScript heap. */
export function createNativeKernels(options: NativeKernelsOptions = {}): KernelBackend {
  return {
    kind: 'kernel-backend',
    name: 'native',
    version: 1,
    scratchSizeBytes,
    async create(createOptions) {
      assertOptions(createOptions)
      const { memorySizeBytes, maxMemorySizeBytes = memorySizeBytes, threadCount = 1 } = createOptions
      const addon = loadAddon(options.addonPath ?? defaultAddonPath())
      const isa = chooseIsa(addon, options.isa)
      const handle = addon.create(memorySizeBytes, maxMemorySizeBytes, threadCount, isa)
      if (handle === null) {
        const detail = `the system does not give ${maxMemorySizeBytes} bytes and ${threadCount} threads`
        throw new KernelError('KERNEL_MEMORY_TOO_LARGE', detail, { field: 'memorySizeBytes' })
      }
      try {
        const kernels = new NativeKernels(addon, handle, isa, maxMemorySizeBytes)
        kernels.selfTest()
        return kernels
      } catch (error) {
        addon.dispose(handle)
        throw error
      }
    },
  }
}

/** The native kernels from this package's own build. */
export const nativeKernels: KernelBackend = createNativeKernels()
