// SPDX-License-Identifier: Apache-2.0
import type { KernelBackendOptions } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'

/**
 * The sizes that kernels are made with.
 * @throws KernelError `KERNEL_OPTION_INVALID`
 */
export function assertMemoryOptions({
  memorySizeBytes,
  maxMemorySizeBytes = memorySizeBytes,
}: KernelBackendOptions): {
  readonly memorySizeBytes: number
  readonly maxMemorySizeBytes: number
} {
  if (!Number.isSafeInteger(memorySizeBytes) || memorySizeBytes < 1) {
    const detail = `expected a positive integer, got ${memorySizeBytes}`
    throw new KernelError('KERNEL_OPTION_INVALID', detail, { field: 'memorySizeBytes' })
  }
  if (!Number.isSafeInteger(maxMemorySizeBytes) || maxMemorySizeBytes < memorySizeBytes) {
    const detail = `expected an integer of at least ${memorySizeBytes}, got ${maxMemorySizeBytes}`
    throw new KernelError('KERNEL_OPTION_INVALID', detail, { field: 'maxMemorySizeBytes' })
  }
  return { memorySizeBytes, maxMemorySizeBytes }
}

export function growthError(memorySizeBytes: number, cause?: unknown): KernelError {
  const detail = `the memory cannot grow to ${memorySizeBytes} bytes`
  return new KernelError('KERNEL_MEMORY_TOO_LARGE', detail, { field: 'memorySizeBytes', cause })
}

/** @throws KernelError `KERNEL_OPTION_INVALID` for less than there is, `KERNEL_MEMORY_TOO_LARGE` beyond the maximum */
export function assertGrowth(memorySizeBytes: number, from: number, maxMemorySizeBytes: number): void {
  if (!Number.isSafeInteger(memorySizeBytes) || memorySizeBytes < from) {
    const detail = `expected an integer of at least ${from}, got ${memorySizeBytes}`
    throw new KernelError('KERNEL_OPTION_INVALID', detail, { field: 'memorySizeBytes' })
  }
  if (memorySizeBytes > maxMemorySizeBytes) {
    const detail = `the memory may grow to ${maxMemorySizeBytes} bytes, not to ${memorySizeBytes}`
    throw new KernelError('KERNEL_MEMORY_TOO_LARGE', detail, { field: 'memorySizeBytes' })
  }
}

export function handleError(handle: number): KernelError {
  return new KernelError('KERNEL_HANDLE_INVALID', `no program ${handle} is loaded`, { field: 'handle' })
}
