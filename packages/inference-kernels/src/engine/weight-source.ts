// SPDX-License-Identifier: Apache-2.0
import { KernelError } from '../errors.ts'

/** Weights that arrive piece by piece, e.g. page by decrypted page. */
export interface WeightSource {
  readonly sizeBytes: number
  /**
   * Writes the bytes from `offsetBytes` on into `target`, all of it. Calls come in order and do not overlap.
   * @param target at most 1 MiB, part of the kernels' memory: do not keep it
   */
  readInto(offsetBytes: number, target: Uint8Array): Promise<void>
}

const pieceSizeBytes = 1024 * 1024

/**
 * Fills the weights' place in memory.
 * @throws KernelError `KERNEL_WEIGHTS_SIZE_MISMATCH`; whatever the source throws
 */
export async function loadWeights(source: WeightSource | Uint8Array, target: Uint8Array): Promise<void> {
  const sizeBytes = source instanceof Uint8Array ? source.length : source.sizeBytes
  if (sizeBytes !== target.length) {
    const detail = `the program asks for ${target.length} bytes of weights, got ${sizeBytes}`
    throw new KernelError('KERNEL_WEIGHTS_SIZE_MISMATCH', detail, { field: 'weights' })
  }
  if (source instanceof Uint8Array) {
    target.set(source)
    return
  }
  for (let offset = 0; offset < target.length; offset += pieceSizeBytes) {
    await source.readInto(offset, target.subarray(offset, offset + pieceSizeBytes))
  }
}
