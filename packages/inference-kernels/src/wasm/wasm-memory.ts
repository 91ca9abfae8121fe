// SPDX-License-Identifier: Apache-2.0
import { KernelError } from '../errors.ts'

export const pageSizeBytes = 65_536
const maxPageCount = 65_536

export interface WasmMemoryOptions {
  readonly memorySizeBytes: number
  readonly maxMemorySizeBytes: number
  /** What the module takes in front. */
  readonly baseBytes: number
  readonly shared: boolean
}

/** @throws KernelError `KERNEL_MEMORY_TOO_LARGE` */
export function createMemory(options: WasmMemoryOptions): WebAssembly.Memory {
  const { memorySizeBytes, maxMemorySizeBytes, baseBytes, shared } = options
  const pageCount = Math.ceil((baseBytes + memorySizeBytes) / pageSizeBytes)
  const maximum = Math.min(Math.ceil((baseBytes + maxMemorySizeBytes) / pageSizeBytes), maxPageCount)
  const tooLarge = (cause?: unknown) =>
    new KernelError(
      'KERNEL_MEMORY_TOO_LARGE',
      `asked for ${memorySizeBytes} bytes, WebAssembly gives at most ${maxPageCount * pageSizeBytes - baseBytes}`,
      { field: 'memorySizeBytes', cause },
    )
  if (pageCount > maxPageCount) throw tooLarge()
  try {
    return new WebAssembly.Memory({ initial: pageCount, maximum, shared })
  } catch (cause) {
    throw tooLarge(cause)
  }
}
