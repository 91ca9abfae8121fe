// SPDX-License-Identifier: Apache-2.0
import { blobOffsetBytes } from '@mlcapsule/capsule-format'
import type { WeightPages } from '@mlcapsule/inference-kernels'
import { PageReader, type PageReaderOptions } from './page-reader.ts'

/** The pages of the weights, in any order and again and again: through the door, or by kernels that read the file. */
export function streamedPages(options: PageReaderOptions, prefixSizeBytes: number): WeightPages {
  const { header, keys, host } = options
  const { pageSizeBytes, pageCount } = header.blobs.weights
  // Page by page: what else would be held is no part of the budget.
  const reader = new PageReader('weights', { ...options, batchSizeBytes: pageSizeBytes })
  const pages: WeightPages = {
    pageSizeBytes,
    pageCount,
    openInto: (page, target) => reader.readInto(target, page),
  }
  const { capsuleFd } = host
  if (capsuleFd === undefined) return pages
  const offsetBytes = blobOffsetBytes(header.blobs, 'weights', prefixSizeBytes)
  return {
    ...pages,
    withSealed: (use) =>
      keys.lend('weights', (seals) =>
        use({ fileDescriptor: capsuleFd, offsetBytes, pageSizeBytes, pageCount, ...seals }),
      ),
  }
}
