// SPDX-License-Identifier: Apache-2.0
import { equalBytes, toHex } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'
import type { EvidenceVerifier } from '../../evidence/verifier.ts'
import { parseSkeletonEvidence, type SkeletonReport, skeletonPlatform } from './layout.ts'
import { skeletonRules } from './rules.ts'
import { revocationListNames, type SkeletonTrustStore, verifySkeletonReport } from './verify.ts'

/**
 * Checks evidence of the skeleton platform. Its root is a key in a file, so all that it can show is tier `none`: a policy
 * that asks for isolation refuses it even where it names the platform.
 */
export const skeletonVerifier: EvidenceVerifier<SkeletonTrustStore, SkeletonReport> & {
  readonly name: 'skeleton'
} = {
  kind: 'verifier',
  name: skeletonPlatform,
  version: 1,
  rules: skeletonRules,
  identifyingRegisters: [['measurement']],
  collateralNames: ({ bytes }) => revocationListNames(parseSkeletonEvidence(bytes).chain.length),
  async verify({ bytes }, { expectedReportData, ...context }) {
    const { report, root } = await verifySkeletonReport(parseSkeletonEvidence(bytes), context)
    // Of exact length and in constant time: an empty expectation is met by nothing.
    if (!equalBytes(report.reportData, expectedReportData)) {
      const detail = 'the evidence was made for other keys, another capsule or another challenge'
      throw new AttestationError('ATTESTATION_REPORT_DATA_MISMATCH', detail, { field: 'evidence.reportData' })
    }
    return {
      platform: skeletonPlatform,
      rootKind: 'hardware',
      tier: 'none',
      root,
      // It measures bytes of its own; a signed reference value says which manifest they mean.
      manifestSha384: null,
      measurement: { measurement: toHex(report.measurement) },
      debug: report.debug,
      tcbStatus: 'none',
      advisoryIds: [],
      claims: report,
    }
  },
}
