// SPDX-License-Identifier: Apache-2.0
import type { Attester } from '@mlcapsule/contracts'
import { assertReportDataSize } from '../../report/report-data.ts'
import {
  encodeSkeletonEvidence,
  encodeSkeletonReport,
  type SkeletonReport,
  skeletonPlatform,
} from './layout.ts'

/** What hardware would hold, and never give away. */
export interface SkeletonDevice {
  /** ECDSA P-256, for signing. */
  readonly privateKey: CryptoKey
  /** DER, from the certificate of that key to the root. */
  readonly chain: readonly Uint8Array<ArrayBuffer>[]
  readonly state: Omit<SkeletonReport, 'reportData'>
}

/**
 * Makes evidence of the skeleton platform. `produce` rejects with AttestationError `ATTESTATION_CLAIMS_INVALID` for report
 * data of another size than 64 bytes.
 */
export function skeletonAttester(device: SkeletonDevice): Attester & { readonly name: 'skeleton' } {
  return {
    kind: 'attester',
    name: skeletonPlatform,
    version: 1,
    async produce(reportData) {
      assertReportDataSize(reportData)
      const reportBytes = new Uint8Array(encodeSkeletonReport({ ...device.state, reportData }))
      const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
      const signature = await globalThis.crypto.subtle.sign(algorithm, device.privateKey, reportBytes)
      const bytes = encodeSkeletonEvidence({
        reportBytes,
        signature: new Uint8Array(signature),
        chain: device.chain,
      })
      return { platform: skeletonPlatform, bytes }
    },
  }
}
