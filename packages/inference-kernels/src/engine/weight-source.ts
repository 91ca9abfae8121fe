// SPDX-License-Identifier: Apache-2.0
import { KernelError } from '../errors.ts'

/** Weights that arrive piece by piece, e.g. page by decrypted page. */
export interface WeightSource {
  readonly sizeBytes: number
  /**
   * Writes the bytes from `offsetBytes` on into `target`, all of it. Calls come in order and do not overlap; between them bytes may be left out.
   * @param target at most 1 MiB, part of the kernels' memory: do not keep it
   */
  readInto(offsetBytes: number, target: Uint8Array): Promise<void>
}

const pieceSizeBytes = 1024 * 1024

/** @throws KernelError `KERNEL_WEIGHTS_SIZE_MISMATCH` */
export function assertWeightsSize(source: WeightSource | Uint8Array, expectedSizeBytes: number): void {
  const sizeBytes = source instanceof Uint8Array ? source.length : source.sizeBytes
  if (sizeBytes === expectedSizeBytes) return
  const detail = `the program asks for ${expectedSizeBytes} bytes of weights, got ${sizeBytes}`
  throw new KernelError('KERNEL_WEIGHTS_SIZE_MISMATCH', detail, { field: 'weights' })
}

/** Reads a stretch of weights, all of `target`. @throws whatever the source throws */
export async function readWeights(
  source: WeightSource | Uint8Array,
  offsetBytes: number,
  target: Uint8Array,
): Promise<void> {
  if (source instanceof Uint8Array) {
    target.set(source.subarray(offsetBytes, offsetBytes + target.length))
    return
  }
  for (let done = 0; done < target.length; done += pieceSizeBytes) {
    await source.readInto(offsetBytes + done, target.subarray(done, done + pieceSizeBytes))
  }
}

/**
 * Fills the weights' place in memory.
 * @throws KernelError `KERNEL_WEIGHTS_SIZE_MISMATCH`; whatever the source throws
 */
export async function loadWeights(source: WeightSource | Uint8Array, target: Uint8Array): Promise<void> {
  assertWeightsSize(source, target.length)
  await readWeights(source, 0, target)
}
