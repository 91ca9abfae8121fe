// SPDX-License-Identifier: Apache-2.0
import { KernelError } from '../errors.ts'
import { kernelsWasmBase64, relaxedKernelsWasmBase64, threadedKernelsWasmBase64 } from './module.generated.ts'

/** What c/src/wasm/module.c exports. Addresses and sizes are unsigned 32-bit, given as numbers. */
export interface KernelsExports {
  /** Where the kernels' memory begins, behind the scratch and the stacks of so many workers. */
  memoryBase(workerCount: number): number
  recordSlot(): number
  /** 1 for the module that uses relaxed SIMD. */
  isRelaxed(): number
  /** -1, or the index of the word at fault in the record slot. */
  checkRecord(memorySizeBytes: number): number
  runRecord(memorySizeBytes: number): void
  selfTest(): number
  wipe(): void
}

/** What the module with threads exports besides. */
export interface ThreadedExports extends KernelsExports {
  /** Before any thread starts; `mayWait` is 1 where the caller may sleep. */
  beginThreads(workerCount: number, mayWait: number): void
  /** Lets threads sleep. 0 if one was lost. */
  restThreads(): number
  stopThreads(): void
}

const exportNames = [
  'memoryBase',
  'recordSlot',
  'isRelaxed',
  'checkRecord',
  'runRecord',
  'selfTest',
  'wipe',
] as const
const threadedExportNames = ['beginThreads', 'restThreads', 'stopThreads'] as const

/** Instructions that a module is compiled to; the one with threads has relaxed SIMD too. */
export type WasmVariant = 'simd128' | 'relaxed-simd' | 'threads'

const modulesBase64: Readonly<Record<WasmVariant, string>> = {
  simd128: kernelsWasmBase64,
  'relaxed-simd': relaxedKernelsWasmBase64,
  threads: threadedKernelsWasmBase64,
}

/** A module that comes with this package: its own bytes, without fetch or file system. */
export function bundledModuleBytes(variant: WasmVariant): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(modulesBase64[variant]), (character) => character.charCodeAt(0))
}

/** The fastest module of this package for one thread that this engine takes. */
export function bestModuleBytes(): Uint8Array<ArrayBuffer> {
  const relaxed = bundledModuleBytes('relaxed-simd')
  const isTaken = typeof WebAssembly !== 'undefined' && WebAssembly.validate(relaxed)
  return isTaken ? relaxed : bundledModuleBytes('simd128')
}

/** @throws KernelError `KERNEL_BACKEND_UNAVAILABLE` where these bytes are no module that this engine can compile */
export async function compileModule(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === 'undefined') {
    throw new KernelError('KERNEL_BACKEND_UNAVAILABLE', 'this JavaScript engine has no WebAssembly')
  }
  try {
    return await WebAssembly.compile(bytes)
  } catch (cause) {
    const detail = 'the kernels do not compile here: WebAssembly with 128-bit SIMD is needed'
    throw new KernelError('KERNEL_BACKEND_UNAVAILABLE', detail, { cause })
  }
}

/** @throws KernelError `KERNEL_BACKEND_UNAVAILABLE` where the module is not the kernels' */
export async function instantiateModule(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  isThreaded: false,
): Promise<KernelsExports>
export async function instantiateModule(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  isThreaded: boolean,
): Promise<ThreadedExports>
export async function instantiateModule(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  isThreaded: boolean,
): Promise<KernelsExports> {
  let instance: WebAssembly.Instance
  try {
    instance = await WebAssembly.instantiate(module, { env: { memory } })
  } catch (cause) {
    throw new KernelError('KERNEL_BACKEND_UNAVAILABLE', 'the module does not accept this memory', { cause })
  }
  for (const name of isThreaded ? [...exportNames, ...threadedExportNames] : exportNames) {
    if (typeof instance.exports[name] !== 'function') {
      throw new KernelError('KERNEL_BACKEND_UNAVAILABLE', `the module does not export ${name}`)
    }
  }
  return instance.exports as unknown as KernelsExports
}
