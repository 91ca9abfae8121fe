// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '@mlcapsule/contracts'
import { toHex } from '@mlcapsule/crypto'
import { type UnboundEvidence, verifyBy } from '../../evidence/report-data.ts'
import type { EvidenceVerifier, ExamineContext, VerifiedEvidence } from '../../evidence/verifier.ts'
import { parseSkeletonEvidence, type SkeletonReport, skeletonPlatform } from './layout.ts'
import { skeletonRules } from './rules.ts'
import { revocationListNames, type SkeletonTrustStore, verifySkeletonReport } from './verify.ts'

async function examine(
  { bytes }: Evidence,
  context: ExamineContext<SkeletonTrustStore>,
): Promise<UnboundEvidence<SkeletonReport>> {
  const { report, root } = await verifySkeletonReport(parseSkeletonEvidence(bytes), context)
  const unbound: VerifiedEvidence<SkeletonReport> = {
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
  return { reportData: report.reportData, unbound }
}

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
  collateralNames: ({ bytes }) => [revocationListNames(parseSkeletonEvidence(bytes).chain.length)],
  examine,
  verify: verifyBy(examine),
}
