// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '@mlcapsule/contracts'
import { type UnboundEvidence, verifyBy } from '../../evidence/report-data.ts'
import type { EvidenceVerifier, ExamineContext } from '../../evidence/verifier.ts'
import { parseNitroDocument } from './layout.ts'
import { nitroRules } from './rules.ts'
import { type NitroTrustStore, nitroPlatform } from './trust-store.ts'
import { type NitroClaims, verifyNitro } from './verify.ts'

async function examine(
  { bytes }: Evidence,
  { nowMs, trustStore }: ExamineContext<NitroTrustStore>,
): Promise<UnboundEvidence<NitroClaims>> {
  return await verifyNitro(parseNitroDocument(bytes), { nowMs, trustStore })
}

/**
 * AWS Nitro Enclaves: attestation documents, which bring all certificates that they need. The report data stands in their
 * `user_data`. AWS gives firmware no status, so the TCB status is `none`.
 */
export const nitroVerifier: EvidenceVerifier<NitroTrustStore, NitroClaims> & { readonly name: 'nitro' } = {
  kind: 'verifier',
  name: nitroPlatform,
  version: 1,
  rules: nitroRules,
  identifyingRegisters: [['pcr0', 'pcr1', 'pcr2']],
  collateralNames({ bytes }) {
    parseNitroDocument(bytes)
    return [[]]
  },
  examine,
  verify: verifyBy(examine),
}
