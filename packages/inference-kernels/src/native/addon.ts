// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { KernelError } from '../errors.ts'

/** One instance in the addon; opaque here. */
export interface AddonHandle {
  readonly __addonHandle: never
}

/** What native/src/addon.c exports. Each function throws a TypeError or RangeError on arguments of a wrong kind. */
export interface Addon {
  /** Best first; at least `scalar`. */
  listIsas(): string[]
  create(
    memorySizeBytes: number,
    maxMemorySizeBytes: number,
    threadCount: number,
    isa: string,
  ): AddonHandle | null
  /** The kernels' memory: the same buffer until they grow, which detaches it. */
  memory(handle: AddonHandle): ArrayBuffer
  /** Whether streams can come from these pages. */
  attachPages(
    handle: AddonHandle,
    fileDescriptor: number,
    offsetBytes: number,
    pageSizeBytes: number,
    pageCount: number,
    key: Uint8Array,
    nonces: Uint8Array,
    associatedData: Uint8Array,
  ): boolean
  /** Whether they are given up. */
  detachPages(handle: AddonHandle): boolean
  /**
   * Whether pages now come into the memory, in order, beside this thread.
   * @param stream as of `load`, with one record, which needs all of it
   */
  fill(handle: AddonHandle, stream: Uint32Array): boolean
  /** How many pages are in by now; -1 - count where the one after them was not authentic. */
  filled(handle: AddonHandle): number
  /**
   * Number of the program; -1 without room for it; -2 for a stream that is none; -3 - (step * 64 + word) for a refused record.
   * @param stream fetchCount, pages, addresses, freedBy, neededBy, one after another; or empty
   */
  load(handle: AddonHandle, records: Int32Array, stream: Uint32Array): number
  /** Whether there was such a program. */
  unload(handle: AddonHandle, program: number): boolean
  /** Whether the kernels have that much now. */
  grow(handle: AddonHandle, memorySizeBytes: number): boolean
  /** 0 where there are no such steps, or not now; 1; 2 where a page was not the authentic one. */
  run(handle: AddonHandle, program: number, firstStep: number, stepCount: number): 0 | 1 | 2
  selfTest(handle: AddonHandle): number
  dispose(handle: AddonHandle): void
}

/** Where `build:native` puts the addon: the same from src/native and from dist/native. */
export function defaultAddonPath(): string {
  const name = `../../native/build/${process.platform}-${process.arch}/mlcapsule-kernels.node`
  return fileURLToPath(new URL(name, import.meta.url))
}

/** @throws KernelError `KERNEL_BACKEND_UNAVAILABLE` saying what is missing and how to get it */
export function loadAddon(path: string): Addon {
  if (!existsSync(path)) {
    const detail = `there is no native addon at ${path}: build it with "npm run kernels:build" (it needs gcc or clang)`
    throw new KernelError('KERNEL_BACKEND_UNAVAILABLE', detail)
  }
  try {
    return createRequire(import.meta.url)(path) as Addon
  } catch (cause) {
    const detail = `the native addon at ${path} does not load here: build it again with "npm run kernels:build"`
    throw new KernelError('KERNEL_BACKEND_UNAVAILABLE', detail, { cause })
  }
}
