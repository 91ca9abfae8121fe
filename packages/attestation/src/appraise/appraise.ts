// SPDX-License-Identifier: Apache-2.0
import type { IsolationTier } from '@mlcapsule/contracts'
import { equalBytes, toHex } from '@mlcapsule/crypto'
import type { VerifiedEvidence } from '../evidence/verifier.ts'
import { type EnclaveManifest, manifestDigest } from '../manifest/manifest.ts'
import type { AttestationPolicy } from '../policy/policy.ts'
import { matchesReference } from '../policy/references.ts'
import { tierRank } from '../schema/words.ts'
import type { AttestationResult, RefusalReason } from './result.ts'

export interface AppraisalInput {
  readonly nowMs: number
  /** When the nonce was issued that the evidence binds: evidence cannot be older than that. */
  readonly nonceIssuedAtMs: number
  /** As shown by the enclave; its digest has to be the one that was measured. */
  readonly manifest: EnclaveManifest
  /** What the capsule's signed header asks for. `allowUnattested` covers it only up to `simulated`. */
  readonly capsuleMinimumTier: IsolationTier
}

/**
 * Holds verified evidence against a policy. Pure: finds all reasons against it, throws for none.
 * @see spec/evidence.md §7
 */
export function appraise(
  verified: VerifiedEvidence,
  policy: AttestationPolicy,
  input: AppraisalInput,
): AttestationResult {
  const { manifest } = input
  const unattested = verified.rootKind === 'simulated' && policy.allowUnattested.includes(manifest.entry)
  const reasons = [
    ...rootReasons(verified, policy),
    ...manifestReasons(verified, policy, manifest),
    ...tierReasons(verified, policy, input, unattested),
    ...stateReasons(verified, policy),
    ...ageReasons(verified, policy, input),
  ]
  const common = { policy: policy.name, platform: verified.platform, tier: verified.tier }
  if (reasons.length > 0) return { status: 'refused', ...common, reasons }
  return {
    status: 'accepted',
    ...common,
    entry: manifest.entry,
    unattested,
    manifestSha384: toHex(verified.manifestSha384),
    tcbStatus: verified.tcbStatus,
  }
}

function rootReasons(verified: VerifiedEvidence, policy: AttestationPolicy): RefusalReason[] {
  if (verified.rootKind === 'hardware') return []
  if (policy.allowUnattested.length === 0) {
    const detail = `policy ${policy.name} names no entry in allowUnattested`
    return [{ code: 'POLICY_SIMULATED_ROOT_REFUSED', detail }]
  }
  if (policy.simulatedRoots === 'any' || policy.simulatedRoots.includes(verified.root)) return []
  return [{ code: 'ATTESTATION_ROOT_UNKNOWN', detail: 'the simulated root is not among simulatedRoots' }]
}

function manifestReasons(
  verified: VerifiedEvidence,
  policy: AttestationPolicy,
  manifest: EnclaveManifest,
): RefusalReason[] {
  if (!equalBytes(manifestDigest(manifest), verified.manifestSha384)) {
    const detail = `the evidence measures ${toHex(verified.manifestSha384)}, the manifest shown has another digest`
    return [{ code: 'ATTESTATION_MANIFEST_MISMATCH', detail }]
  }
  if (policy.manifests === 'any' || policy.manifests.some((it) => matchesReference(manifest, it))) return []
  const detail = `manifest ${toHex(verified.manifestSha384)} is none of ${policy.manifests.length} reference values`
  return [{ code: 'ATTESTATION_MEASUREMENT_UNKNOWN', detail }]
}

function tierReasons(
  verified: VerifiedEvidence,
  policy: AttestationPolicy,
  input: AppraisalInput,
  unattested: boolean,
): RefusalReason[] {
  const found = tierRank(verified.tier)
  const reasons: RefusalReason[] = []
  const exempt = unattested && tierRank(input.capsuleMinimumTier) <= tierRank('simulated')
  if (found < tierRank(input.capsuleMinimumTier) && !exempt) {
    const detail = `the capsule asks for ${input.capsuleMinimumTier}, the evidence shows ${verified.tier}`
    reasons.push({ code: 'ATTESTATION_TIER_TOO_LOW', detail })
  }
  if (unattested) return reasons
  if (found < tierRank(policy.minimumTier)) {
    const detail = `the policy asks for ${policy.minimumTier}, the evidence shows ${verified.tier}`
    reasons.push({ code: 'ATTESTATION_TIER_TOO_LOW', detail })
  } else if (verified.rootKind === 'simulated') {
    const detail = `entry ${input.manifest.entry} has no hardware root and is not in allowUnattested`
    reasons.push({ code: 'ATTESTATION_TIER_TOO_LOW', detail })
  }
  return reasons
}

function stateReasons(verified: VerifiedEvidence, policy: AttestationPolicy): RefusalReason[] {
  const reasons: RefusalReason[] = []
  if (verified.debug) reasons.push({ code: 'ATTESTATION_DEBUG_ENABLED', detail: 'debug mode is on' })
  if (policy.tcbStatuses !== 'any' && !policy.tcbStatuses.includes(verified.tcbStatus)) {
    const detail = `status ${verified.tcbStatus} is none of ${policy.tcbStatuses.join(', ')}`
    reasons.push({ code: 'ATTESTATION_TCB_REFUSED', detail })
  }
  return reasons
}

function ageReasons(
  verified: VerifiedEvidence,
  policy: AttestationPolicy,
  input: AppraisalInput,
): RefusalReason[] {
  if (policy.maxEvidenceAgeSeconds === 'any') return []
  const sinceMs = Math.max(verified.producedAtMs ?? 0, input.nonceIssuedAtMs)
  const ageSeconds = Math.ceil((input.nowMs - sinceMs) / 1000)
  if (ageSeconds <= policy.maxEvidenceAgeSeconds) return []
  const detail = `the evidence may be ${ageSeconds} s old, the policy allows ${policy.maxEvidenceAgeSeconds} s`
  return [{ code: 'ATTESTATION_EVIDENCE_TOO_OLD', detail }]
}
