// SPDX-License-Identifier: Apache-2.0
import type { SealedPages } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'

/** Weights in pages of a file that kernels may be able to open themselves. */
export interface SealedWeights {
  /** A multiple of 64. */
  readonly pageSizeBytes: number
  /** Calls `use` with what the kernels need, and wipes the key in it afterward. @returns what `use` returns */
  withSealed(use: (pages: SealedPages) => boolean): boolean
  /** Told now and then how much the kernels have opened. */
  onOpened(doneBytes: number): void
}

/** Weights that arrive piece by piece, e.g. page by decrypted page. */
export interface WeightSource {
  readonly sizeBytes: number
  /** The same weights in a file: `readInto` is then asked only for what the kernels do not open themselves. */
  readonly sealed?: SealedWeights
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
