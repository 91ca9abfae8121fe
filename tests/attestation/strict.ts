// SPDX-License-Identifier: Apache-2.0
import {
  AttestationError,
  appraise,
  type EvidenceVerifier,
  type PlatformSection,
  parsePolicy,
  type VerifiedEvidence,
} from '@mlcapsule/attestation'
import type { CaseOutcome } from './case.ts'

export interface StrictPolicy {
  readonly verifier: EvidenceVerifier
  /** Rules of the platform that the vectors' policy states. */
  readonly section: PlatformSection
  readonly nowMs: number
}

/**
 * Outcome of a case but for its fields: evidence that is refused is refused by every policy; other evidence is held against
 * a policy that asks for hardware, firmware without a status, no debug mode, and what the section states.
 */
export async function strictOutcome(
  { verifier, section, nowMs }: StrictPolicy,
  verify: () => Promise<VerifiedEvidence>,
): Promise<Omit<CaseOutcome, 'fields'>> {
  let verified: VerifiedEvidence
  try {
    verified = await verify()
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { evidence: 'reject', code: error.code, strictPolicy: 'reject', policyCodes: [] }
  }
  const policy = parsePolicy(
    {
      version: 1,
      name: 'strict',
      minimumTier: 'sgx',
      allowUnattested: [],
      manifests: 'any',
      maxEvidenceAgeSeconds: 'any',
      simulatedRoots: [],
      referenceSigners: [],
      platforms: { [verifier.name]: section },
      tcbStatuses: ['none'],
      advisories: [],
      debug: false,
    },
    [verifier],
  )
  const result = appraise(verified, policy, {
    nowMs,
    nonceIssuedAtMs: nowMs,
    manifest: null,
    capsuleMinimumTier: 'none',
    verifiers: [verifier],
    references: [],
  })
  const policyCodes = result.status === 'refused' ? result.reasons.map(({ code }) => code) : []
  const strictPolicy = result.status === 'accepted' ? 'accept' : 'reject'
  return { evidence: 'accept', code: null, strictPolicy, policyCodes, tcbStatus: verified.tcbStatus }
}

/** A section in which all stays unchecked but for what is stated. */
export function sectionOf(verifier: EvidenceVerifier, stated: PlatformSection): PlatformSection {
  const unchecked = Object.keys(verifier.rules).map((name) => [name, 'any'])
  return { ...Object.fromEntries(unchecked), ...stated }
}
