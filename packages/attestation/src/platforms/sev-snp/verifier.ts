// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '@mlcapsule/contracts'
import { type UnboundEvidence, verifyBy } from '../../evidence/report-data.ts'
import type { EvidenceVerifier, ExamineContext } from '../../evidence/verifier.ts'
import type { SevSnpClaims } from './claims.ts'
import { parseSevSnpEvidence, sevSnpCollateralNames } from './evidence.ts'
import { sevSnpRules } from './rules.ts'
import { type SevSnpTrustStore, sevSnpPlatform } from './trust-store.ts'
import { verifySevSnp } from './verify.ts'

async function examine(
  { bytes }: Evidence,
  { nowMs, trustStore, collateral }: ExamineContext<SevSnpTrustStore>,
): Promise<UnboundEvidence<SevSnpClaims>> {
  return await verifySevSnp(parseSevSnpEvidence(bytes), { nowMs, trustStore, collateral })
}

/**
 * AMD SEV-SNP: reports of version 2, 3 and 5 signed by a VCEK or a VLEK of Milan, Genoa or Turin. AMD gives firmware no
 * status, so the TCB status is `none`; the rule `minimumTcb` says which firmware is accepted. Reports of Milan and Genoa are
 * tested with real ones; those of Turin and of version 5, and AMD's lists of revoked keys, with synthetic ones alone.
 *
 * A measurement says what was in the guest's memory when it started. That identifies a workload only where the whole of it
 * was measured, as with a kernel, its initial file system and command line hashed into the firmware.
 */
export const sevSnpVerifier: EvidenceVerifier<SevSnpTrustStore, SevSnpClaims> & {
  readonly name: 'sev-snp'
} = {
  kind: 'verifier',
  name: sevSnpPlatform,
  version: 1,
  rules: sevSnpRules,
  identifyingRegisters: [['measurement']],
  collateralNames: ({ bytes }) => sevSnpCollateralNames(parseSevSnpEvidence(bytes)),
  examine,
  verify: verifyBy(examine),
}
