// SPDX-License-Identifier: Apache-2.0
import { CapsuleFormatError } from '../errors.ts'
import type { BlobLayout } from '../layout/geometry.ts'

/** Plaintext pages that may be held at a time: read, sealed and hashed while the oldest is written. */
export const pagesInFlight = 3

/** Buffers for the pages of one blob in flight. Whoever made them wipes them when all pages are sealed. */
export function pageBuffers(layout: BlobLayout): readonly Uint8Array[] {
  const count = Math.min(pagesInFlight, layout.pageCount)
  return Array.from({ length: count }, () => new Uint8Array(layout.pageSizeBytes))
}

/**
 * Cuts a stream into pages, the last ones padded with zeros. Each page is a buffer out of `buffers`, which is used again
 * `buffers.length` pages later.
 * @throws CapsuleFormatError `CAPSULE_INPUT_SIZE_MISMATCH`
 */
export async function* paginate(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  sizeBytes: number,
  layout: BlobLayout,
  buffers: readonly Uint8Array[],
): AsyncGenerator<Uint8Array, void, undefined> {
  let pageIndex = 0
  let filledBytes = 0
  let totalBytes = 0
  const current = (): Uint8Array => buffers[pageIndex % buffers.length] as Uint8Array
  for await (const chunk of chunks) {
    totalBytes += chunk.length
    if (totalBytes > sizeBytes) throw sizeMismatch(sizeBytes, 'more')
    for (let taken = 0; taken < chunk.length; ) {
      const part = chunk.subarray(taken, taken + layout.pageSizeBytes - filledBytes)
      current().set(part, filledBytes)
      taken += part.length
      filledBytes += part.length
      if (filledBytes === layout.pageSizeBytes) {
        yield current()
        pageIndex++
        filledBytes = 0
      }
    }
  }
  if (totalBytes < sizeBytes) throw sizeMismatch(sizeBytes, String(totalBytes))
  for (; pageIndex < layout.pageCount; pageIndex++) {
    yield current().fill(0, filledBytes)
    filledBytes = 0
  }
}

function sizeMismatch(expectedBytes: number, got: string): CapsuleFormatError {
  const detail = `expected ${expectedBytes} bytes of weights, got ${got}`
  return new CapsuleFormatError('CAPSULE_INPUT_SIZE_MISMATCH', detail, { field: 'weights.sizeBytes' })
}
