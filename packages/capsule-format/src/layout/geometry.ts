// SPDX-License-Identifier: Apache-2.0
import { aeadTagSizeBytes } from '@mlcapsule/crypto'
import { capsuleLimits } from '../limits.ts'

/** The two encrypted parts of a capsule. */
export type BlobName = 'program' | 'weights'

/** Order in the file and in the tree. */
export const blobNames: readonly BlobName[] = ['program', 'weights']

/** The number of a blob in keys, associated data and leaves. */
export const blobNumbers: Readonly<Record<BlobName, number>> = { program: 1, weights: 2 }

/** How a blob lies in pages. All pages of a blob have the same size. */
export interface BlobLayout {
  readonly pageCount: number
  /** pageCount × pageSizeBytes. */
  readonly paddedSizeBytes: number
  /** Plaintext of one page. The program's may be smaller than the header's page size, never larger. */
  readonly pageSizeBytes: number
}

/** ⌊log2 n⌋ for a safe integer n ≥ 1, exactly. */
function floorLog2(n: number): number {
  return n >= 2 ** 32 ? 63 - Math.clz32(Math.floor(n / 2 ** 32)) : 31 - Math.clz32(n)
}

function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple
}

/**
 * Padmé (Nikitin et al., PETS 2019, algorithm 1): rounds up so that only O(log log n) bits of the size remain visible,
 * at the cost of at most 12 %.
 */
export function padme(sizeBytes: number): number {
  if (sizeBytes < 2) return sizeBytes
  const exponent = floorLog2(sizeBytes)
  return roundUp(sizeBytes, 2 ** (exponent - floorLog2(exponent) - 1))
}

/** Layout of a program blob of this many bytes: a power of two, at least 64 KiB. */
export function programLayout(sizeBytes: number, pageSizeBytes: number): BlobLayout {
  let paddedSizeBytes: number = capsuleLimits.programMinPaddedSizeBytes
  while (paddedSizeBytes < sizeBytes) paddedSizeBytes *= 2
  return layoutOf(paddedSizeBytes, Math.min(pageSizeBytes, paddedSizeBytes))
}

/** Layout of weights of this many bytes: Padmé, then whole pages, at least one. */
export function weightsLayout(sizeBytes: number, pageSizeBytes: number): BlobLayout {
  return layoutOf(roundUp(Math.max(1, padme(sizeBytes)), pageSizeBytes), pageSizeBytes)
}

function layoutOf(paddedSizeBytes: number, pageSizeBytes: number): BlobLayout {
  return { pageCount: paddedSizeBytes / pageSizeBytes, paddedSizeBytes, pageSizeBytes }
}

/** Size of a page in the file: plaintext and tag. */
export function sealedPageSizeBytes(layout: BlobLayout): number {
  return layout.pageSizeBytes + aeadTagSizeBytes
}

/** Where a blob's first page begins in the file. @param prefixSizeBytes magic, length, header and signature */
export function blobOffsetBytes(
  blobs: Readonly<Record<BlobName, BlobLayout>>,
  blob: BlobName,
  prefixSizeBytes: number,
): number {
  return blob === 'program' ? prefixSizeBytes : prefixSizeBytes + sealedBlobSizeBytes(blobs.program)
}

/** Size of all pages of a blob in the file. */
export function sealedBlobSizeBytes(layout: BlobLayout): number {
  return layout.pageCount * sealedPageSizeBytes(layout)
}
