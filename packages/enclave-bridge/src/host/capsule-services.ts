// SPDX-License-Identifier: Apache-2.0
import { type Capsule, sealedPageSizeBytes } from '@mlcapsule/capsule-format'
import type { HostServices } from './services.ts'

/** Serves the enclave's page calls from an opened capsule. */
export function capsulePages(capsule: Capsule): HostServices['readPages'] {
  return async (blob, first, count) => {
    const bytes = await capsule.readPages(blob, first, count)
    const pageBytes = sealedPageSizeBytes(capsule.header.blobs[blob])
    return Array.from({ length: count }, (_, i) => bytes.subarray(i * pageBytes, (i + 1) * pageBytes))
  }
}
