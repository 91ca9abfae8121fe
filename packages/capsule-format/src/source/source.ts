// SPDX-License-Identifier: Apache-2.0
import { copyBytes } from '@mlcapsule/contracts'
import { CapsuleFormatError } from '../errors.ts'

/** Where a capsule lies. Nothing that it returns is trusted. */
export interface RandomAccessSource {
  readonly sizeBytes: number
  /** Of a file that holds the capsule and nothing else, open for reading until `close`. */
  readonly fileDescriptor?: number
  /**
   * @returns exactly `sizeBytes` bytes from `offsetBytes`, which nobody else will write to
   * @throws CapsuleFormatError `CAPSULE_SOURCE_FAILED` and its kin
   */
  read(offsetBytes: number, sizeBytes: number): Promise<Uint8Array>
  /** Gives back what the source holds, such as a file handle. */
  close?(): Promise<void>
}

/** Reads, and checks that a source did what it promises. */
export async function readExactly(
  source: RandomAccessSource,
  offsetBytes: number,
  sizeBytes: number,
): Promise<Uint8Array> {
  const bytes = await source.read(offsetBytes, sizeBytes)
  if (bytes.length !== sizeBytes) {
    throw sourceFailed(`asked for ${sizeBytes} bytes at ${offsetBytes}, got ${bytes.length}`)
  }
  return bytes
}

export function sourceFailed(detail: string, cause?: unknown): CapsuleFormatError {
  return new CapsuleFormatError('CAPSULE_SOURCE_FAILED', detail, { field: 'source', cause })
}

/** A capsule in memory. */
export function memorySource(bytes: Uint8Array): RandomAccessSource {
  return {
    sizeBytes: bytes.length,
    read: (offsetBytes, sizeBytes) => Promise.resolve(copyBytes(bytes, offsetBytes, offsetBytes + sizeBytes)),
  }
}

/** A capsule in a `Blob`, such as a file that was chosen in a browser. */
export function blobSource(blob: Blob): RandomAccessSource {
  return {
    sizeBytes: blob.size,
    async read(offsetBytes, sizeBytes) {
      try {
        return new Uint8Array(await blob.slice(offsetBytes, offsetBytes + sizeBytes).arrayBuffer())
      } catch (cause) {
        throw sourceFailed('the file could not be read', cause)
      }
    },
  }
}
