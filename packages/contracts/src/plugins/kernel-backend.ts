// SPDX-License-Identifier: Apache-2.0
import type { Plugin } from './plugin.ts'

/** A list of records that has been checked against the memory of one `Kernels`. Opaque to all but its maker. */
export type ProgramHandle = number & { readonly __programHandle: never }

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
   * @throws KernelError `KERNEL_RECORD_INVALID` with the index of the step and the field at fault
   */
  load(records: Int32Array): ProgramHandle
  /** Forgets a list of records. @throws KernelError `KERNEL_HANDLE_INVALID` */
  unload(handle: ProgramHandle): void
  /**
   * Enlarges the memory; what it holds stays, what is new is zero, and loaded records stay valid.
   * @throws KernelError `KERNEL_MEMORY_TOO_LARGE` beyond `maxMemorySizeBytes`
   */
  grow(memorySizeBytes: number): void
  /** Runs one step. Allocates nothing. @throws KernelError `KERNEL_HANDLE_INVALID` for a step out of range */
  runStep(handle: ProgramHandle, stepIndex: number): void
  /** Runs all steps from `firstStep`, `stepCount` of them, in one call. */
  runSteps(handle: ProgramHandle, firstStep: number, stepCount: number): void
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
  /** @throws KernelError `KERNEL_BACKEND_UNAVAILABLE` where this machine cannot run it, `KERNEL_MEMORY_TOO_LARGE` */
  create(options: KernelBackendOptions): Promise<Kernels>
}
