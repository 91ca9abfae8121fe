// SPDX-License-Identifier: Apache-2.0
import type { Plugin } from './plugin.ts'

/** A list of records that has been checked against the memory of one `Kernels`. Opaque to all but its maker. */
export type ProgramHandle = number & { readonly __programHandle: never }

/**
 * How weights that do not stay in memory come, page by page, while a list of records runs: fetch i opens `pages[i]` into
 * `addressesBytes[i]`. All lists ascend in what they wait for, so that nothing waits for itself.
 */
export interface WeightStream {
  readonly pages: Uint32Array
  readonly addressesBytes: Uint32Array
  /** One for each fetch: records that have to be done before, since they read what it overwrites. */
  readonly freedBy: Uint32Array
  /** One for each record: fetches that have to be done before. */
  readonly neededBy: Uint32Array
}

/** Sealed pages of equal size in a file: AES-256-GCM, a ciphertext and its tag of 16 bytes one after another. */
export interface SealedPages {
  /** Open for reading until the kernels have taken the pages. Untrusted, like all that it gives. */
  readonly fileDescriptor: number
  readonly offsetBytes: number
  /** Of a page's plaintext. */
  readonly pageSizeBytes: number
  readonly pageCount: number
  /** 32 bytes. The kernels copy it; the caller wipes its own. */
  readonly key: Uint8Array
  /** 12 bytes for each page. */
  readonly nonces: Uint8Array
  /** Equally many bytes for each page. */
  readonly associatedData: Uint8Array
}

/**
 * One instance of the compute kernels with its memory. Single lane: `runStep` is synchronous and never overlaps itself.
 * @see packages/inference-kernels/abi/ops.json for the records
 */
export interface Kernels {
  /** Instruction set in use, e.g. `avx2`, `wasm-simd128`, `scalar`. */
  readonly isa: string
  /**
   * The whole memory, zero at the start. Addresses in records are offsets into it. After `grow` it is another view, and
   * older ones may be empty.
   */
  readonly memory: Uint8Array
  /**
   * Checks every record against the memory's size and keeps a private copy.
   * @param records `count` records of `recordWordCount` words each
   * @param stream only after `attachPages`: the weights that the kernels then fetch while the records run, from the first one
   *   on and in order
   * @throws KernelError `KERNEL_RECORD_INVALID` with the index of the step and the field at fault; `KERNEL_STREAM_INVALID`
   */
  load(records: Int32Array, stream?: WeightStream): ProgramHandle
  /** Forgets a list of records. @throws KernelError `KERNEL_HANDLE_INVALID` */
  unload(handle: ProgramHandle): void
  /**
   * Enlarges the memory; what it holds stays, what is new is zero, and loaded records stay valid.
   * @throws KernelError `KERNEL_MEMORY_TOO_LARGE` beyond `maxMemorySizeBytes`
   */
  grow(memorySizeBytes: number): void
  /** Runs one step. Allocates nothing. @throws KernelError `KERNEL_HANDLE_INVALID` for a step out of range */
  runStep(handle: ProgramHandle, stepIndex: number): void
  /**
   * Runs all steps from `firstStep`, `stepCount` of them, in one call.
   * @throws KernelError `KERNEL_PAGE_INVALID` where a page that they need was not the authentic one; what ran by then has run
   */
  runSteps(handle: ProgramHandle, firstStep: number, stepCount: number): void
  /**
   * Lets kernels that can open pages themselves, beside the computation, do so from now on.
   * @returns false where these pages are beyond them; the caller then opens pages itself, between records
   */
  attachPages?(pages: SealedPages): boolean
  /**
   * Opens attached pages into the memory, in order and beside the calling thread. No records with a stream run meanwhile.
   * @param addressesBytes one for each page, multiples of 64
   * @param onFilled told now and then how many pages are in place
   * @returns how many pages are in place: all, or those before the first one that was not the authentic one
   * @throws KernelError `KERNEL_STREAM_INVALID` for pages or addresses that there are not; `KERNEL_DISPOSED`, also where
   *   that happens meanwhile
   */
  fillPages?(
    pages: Uint32Array,
    addressesBytes: Uint32Array,
    onFilled: (pageCount: number) => void,
  ): Promise<number>
  /** Gives up attached pages, and their key. @returns false where there are none, or a loaded stream needs them */
  detachPages?(): boolean
  /** Compares the kernels in use with known answers. @throws KernelError `KERNEL_SELF_TEST_FAILED` */
  selfTest(): void
  /** Zeroes and releases the memory. The instance is dead afterward. */
  dispose(): void
}

export interface KernelBackendOptions {
  /** Size of the memory: arena, weights and staging together. */
  readonly memorySizeBytes: number
  /** What it may grow to at most, `memorySizeBytes` by default: reserved addresses, no memory. A backend may stop earlier. */
  readonly maxMemorySizeBytes?: number
  /** Threads that one step may use, 1 by default. */
  readonly threadCount?: number
}

/** Makes kernels: `native`, `wasm` or `reference`. */
export interface KernelBackend extends Plugin {
  readonly kind: 'kernel-backend'
  /** What an instance takes beside its memory for operands that are gathered or transformed; none where absent. */
  scratchSizeBytes?(threadCount: number): number
  /** @throws KernelError `KERNEL_BACKEND_UNAVAILABLE` where this machine cannot run it, `KERNEL_MEMORY_TOO_LARGE` */
  create(options: KernelBackendOptions): Promise<Kernels>
}
