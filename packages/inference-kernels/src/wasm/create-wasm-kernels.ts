// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, KernelBackendOptions, Kernels } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'
import { assertMemoryOptions } from '../records/memory-options.ts'
import { scratchSizeBytes } from '../records/scratch-size.ts'
import { mayWait, requireSharedMemory, type StartThread, Threads, threadsError } from '../threads/threads.ts'
import { WasmKernels } from './wasm-kernels.ts'
import { createMemory } from './wasm-memory.ts'
import { bestModuleBytes, bundledModuleBytes, compileModule, instantiateModule } from './wasm-module.ts'

const maxThreadCount = 64

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

async function compileThreaded(): Promise<WebAssembly.Module> {
  const bytes = bundledModuleBytes('threads')
  if (typeof WebAssembly !== 'undefined' && !WebAssembly.validate(bytes)) {
    throw threadsError('this JavaScript engine lacks threads or relaxed SIMD in WebAssembly')
  }
  return await compileModule(bytes)
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
  const threaded = once(compileThreaded)
  return {
    kind: 'kernel-backend',
    name: 'wasm',
    version: 1,
    scratchSizeBytes,
    async create(createOptions) {
      assertOptions(createOptions)
      const { memorySizeBytes, maxMemorySizeBytes = memorySizeBytes, threadCount = 1 } = createOptions
      const sizes = { memorySizeBytes, maxMemorySizeBytes }
      let kernels: Kernels
      if (threadCount > 1) {
        const { startThread } = options
        if (startThread === undefined)
          throw threadsError('these kernels were not given a way to start threads')
        requireSharedMemory()
        kernels = await createThreaded(await threaded(), startThread, threadCount, sizes)
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
