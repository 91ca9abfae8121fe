// SPDX-License-Identifier: Apache-2.0
import { cryptoReady, equalBytes } from '@mlcapsule/crypto'
import { CapsuleFormatError } from '../errors.ts'
import {
  type ParsedHeader,
  parseHeader,
  prefixSizeBytes,
  readHeaderSize,
  type TrustedPublishers,
  truncated,
} from '../header/header.ts'
import { assertPageIndex } from '../keys/capsule-keys.ts'
import {
  type BlobName,
  blobNames,
  blobOffsetBytes,
  sealedBlobSizeBytes,
  sealedPageSizeBytes,
} from '../layout/geometry.ts'
import { createTreeHasher, leafHash, leafScratch } from '../layout/tree.ts'
import { lengthPrefixSizeBytes } from '../limits.ts'
import { type RandomAccessSource, readExactly } from '../source/source.ts'

export interface VerifyProgress {
  readonly doneBytes: number
  readonly totalBytes: number
}

/** A capsule whose header has verified. Its pages have not, until `verifyTree` resolves or a key opens them. */
export interface Capsule extends ParsedHeader {
  /** Magic, length, header and signature: what an enclave is given to load. */
  readonly prefix: Uint8Array
  readonly sizeBytes: number
  /** Of the file that it is in, open for reading; undefined where it is elsewhere. */
  readonly fileDescriptor: number | undefined
  /** One page, sealed. @throws CapsuleFormatError `CAPSULE_PAGE_INVALID`, `CAPSULE_SOURCE_FAILED` */
  readPage(blob: BlobName, index: number): Promise<Uint8Array>
  /** Neighboring pages, sealed, one after another. */
  readPages(blob: BlobName, firstIndex: number, pageCount: number): Promise<Uint8Array>
  /**
   * Reads the whole capsule and checks it against the signed root. Needs no key.
   * @throws CapsuleFormatError `CAPSULE_TREE_MISMATCH`
   */
  verifyTree(onProgress?: (progress: VerifyProgress) => void): Promise<void>
  /** Closes the source. */
  close(): Promise<void>
}

/** Read at a time by `verifyTree`, or one page where that is more. */
const batchSizeBytes = 1_048_576

/**
 * Opens a capsule: reads its header, checks it and the publisher's signature, and that the file has the size that the
 * header calls for. A source that fails this is left open; its owner closes it.
 * @throws CapsuleFormatError see spec/capsule-format.md section 7
 */
export async function openCapsule(
  source: RandomAccessSource,
  options: { readonly publishers: TrustedPublishers },
): Promise<Capsule> {
  await cryptoReady()
  const start = await readExactly(source, 0, Math.min(lengthPrefixSizeBytes, source.sizeBytes))
  const prefixBytes = prefixSizeBytes(readHeaderSize(start))
  if (source.sizeBytes < prefixBytes) throw truncated('prefix', prefixBytes, source.sizeBytes)
  const prefix = await readExactly(source, 0, prefixBytes)
  const parsed = parseHeader(prefix, options)
  const { blobs } = parsed.header
  const startOf = (blob: BlobName) => blobOffsetBytes(blobs, blob, prefixBytes)
  const sizeBytes = startOf('weights') + sealedBlobSizeBytes(blobs.weights)
  assertSize(source.sizeBytes, sizeBytes)

  const readPages = async (blob: BlobName, firstIndex: number, pageCount: number): Promise<Uint8Array> => {
    const layout = blobs[blob]
    assertPageIndex(layout, blob, firstIndex, pageCount)
    const pageBytes = sealedPageSizeBytes(layout)
    return await readExactly(source, startOf(blob) + firstIndex * pageBytes, pageCount * pageBytes)
  }

  const verifyTree = async (onProgress?: (progress: VerifyProgress) => void): Promise<void> => {
    const tree = createTreeHasher()
    let doneBytes = prefixBytes
    for (const blob of blobNames) {
      const { pageCount } = blobs[blob]
      const pageBytes = sealedPageSizeBytes(blobs[blob])
      const scratch = leafScratch(pageBytes)
      const batchCount = Math.max(1, Math.floor(batchSizeBytes / pageBytes))
      for (let index = 0; index < pageCount; index += batchCount) {
        const batch = await readPages(blob, index, Math.min(batchCount, pageCount - index))
        for (let at = 0; at < batch.length; at += pageBytes) {
          tree.add(await leafHash(blob, index + at / pageBytes, batch.subarray(at, at + pageBytes), scratch))
        }
        doneBytes += batch.length
        onProgress?.({ doneBytes, totalBytes: sizeBytes })
      }
    }
    if (equalBytes(tree.root(), parsed.header.root)) return
    throw new CapsuleFormatError(
      'CAPSULE_TREE_MISMATCH',
      'the pages do not hash to the root in the signed header',
    )
  }

  return {
    ...parsed,
    prefix,
    sizeBytes,
    fileDescriptor: source.fileDescriptor,
    readPages,
    readPage: (blob, index) => readPages(blob, index, 1),
    verifyTree,
    close: async () => await source.close?.(),
  }
}

function assertSize(sizeBytes: number, expectedBytes: number): void {
  if (sizeBytes < expectedBytes) throw truncated('file', expectedBytes, sizeBytes)
  if (sizeBytes === expectedBytes) return
  const detail = `the capsule ends after ${expectedBytes} bytes, the file after ${sizeBytes}`
  throw new CapsuleFormatError('CAPSULE_TRAILING_BYTES', detail, { field: 'file' })
}
