// SPDX-License-Identifier: Apache-2.0
import { appraise } from '../src/appraise/appraise.ts'
import type { EvidenceVerifier, VerifiedEvidence } from '../src/evidence/verifier.ts'
import { type AttestationPolicy, parsePolicy } from '../src/policy/policy.ts'
import { chainNowMs } from './certificates.ts'

/** A policy that asks for nothing but what its section about one platform says, and no debug. */
export function policyWith(
  verifier: EvidenceVerifier,
  section: Readonly<Record<string, unknown>>,
): AttestationPolicy {
  const rules = Object.fromEntries(Object.keys(verifier.rules).map((name) => [name, 'any']))
  const policy = {
    version: 1,
    name: 'test',
    minimumTier: 'none',
    allowUnattested: [],
    manifests: 'any',
    referenceSigners: [],
    platforms: { [verifier.name]: { ...rules, ...section } },
    maxEvidenceAgeSeconds: 'any',
    simulatedRoots: [],
    tcbStatuses: ['UpToDate'],
    advisories: [],
    debug: false,
  }
  return parsePolicy(policy, [verifier])
}

/** @returns codes of what a policy refuses, empty where it accepts */
export function refusals(
  verified: VerifiedEvidence,
  verifier: EvidenceVerifier,
  section: Readonly<Record<string, unknown>>,
): readonly string[] {
  const result = appraise(verified, policyWith(verifier, section), {
    nowMs: chainNowMs,
    nonceIssuedAtMs: chainNowMs,
    manifest: null,
    capsuleMinimumTier: 'none',
    verifiers: [verifier],
    references: [],
  })
  return result.status === 'accepted' ? [] : result.reasons.map(({ code }) => code)
}

/** The section that new policies are written with. */
export function suggestedSection({ rules }: EvidenceVerifier): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(rules).map(([name, { suggested }]) => [name, suggested]))
}
