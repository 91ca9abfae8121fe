// SPDX-License-Identifier: Apache-2.0
import type { IsolationTier } from '@mlcapsule/contracts'
import { equalBytes, fromHex, toHex } from '@mlcapsule/crypto'
import { AttestationError, type AttestationErrorCode } from '../errors.ts'
import { type EvidenceVerifier, type VerifiedEvidence, verifierOf } from '../evidence/verifier.ts'
import { type EnclaveManifest, manifestDigest } from '../manifest/manifest.ts'
import type { AttestationPolicy } from '../policy/policy.ts'
import { matchesReference } from '../policy/references.ts'
import { findReference, type ReferenceValue } from '../reference/reference-value.ts'
import { tierRank } from '../schema/words.ts'
import type { AttestationResult } from './result.ts'
import { type AppraisalCheck, checkRules, parseSection } from './rules.ts'

export interface AppraisalInput {
  readonly nowMs: number
  /** When the nonce was issued that the evidence binds: evidence cannot be older than that. */
  readonly nonceIssuedAtMs: number
  /**
   * As shown by the enclave; its digest has to be the one that was measured. Null where nobody shows one: then no entry is
   * known, and only a policy that takes any manifest accepts.
   */
  readonly manifest: EnclaveManifest | null
  /** What the capsule's signed header asks for. `allowUnattested` covers it only up to `simulated`. */
  readonly capsuleMinimumTier: IsolationTier
  /** Has the verifier of the evidence's platform among them. */
  readonly verifiers: readonly EvidenceVerifier[]
  /** Statements of what measurements mean, each by `verifyReference` from a signer whom the policy names. */
  readonly references: readonly ReferenceValue[]
}

/**
 * Holds verified evidence against a policy. Pure: looks at everything, and throws for nothing that it finds.
 * @throws AttestationError `POLICY_FIELD_MISSING`, `POLICY_INVALID` for a platform's section that is not of its form;
 * `ATTESTATION_PLATFORM_UNKNOWN`
 * @see spec/evidence.md §7
 */
export function appraise(
  verified: VerifiedEvidence,
  policy: AttestationPolicy,
  input: AppraisalInput,
): AttestationResult {
  const verifier = verifierOf(verified.platform, input.verifiers)
  const { manifest } = input
  const unattested =
    verified.rootKind === 'simulated' && manifest !== null && policy.allowUnattested.includes(manifest.entry)
  const measured = measuredManifest(verified, policy, verifier, input)
  const checks = [
    ...rootChecks(verified, policy),
    ...platformChecks(verified, policy),
    ...manifestChecks(measured, policy, manifest),
    ...tierChecks(verified, policy, input, unattested),
    ...stateChecks(verified, policy),
    ageCheck(verified, policy, input),
    ...sectionChecks(verified, policy, verifier),
  ]
  const { platform, tier } = verified
  const measurement = identifyingMeasurement(verified, verifier)
  const common = { policy: policy.name, platform, tier, measurement, checks }
  const reasons = checks.flatMap(({ code, field, found, expected }) =>
    code === null ? [] : [{ code, detail: `${field}: found ${found}, expected ${expected}` }],
  )
  if (reasons.length > 0) return { status: 'refused', ...common, reasons }
  return {
    status: 'accepted',
    ...common,
    entry: manifest?.entry ?? null,
    unattested,
    manifestSha384: manifest === null || measured === null ? null : toHex(measured),
    tcbStatus: verified.tcbStatus,
  }
}

/** The registers that say what runs, without those that say where or for whom. */
function identifyingMeasurement(
  { measurement }: VerifiedEvidence,
  { identifyingRegisters }: EvidenceVerifier,
): Readonly<Record<string, string>> {
  const names = identifyingRegisters.flat()
  return Object.fromEntries(Object.entries(measurement).filter(([name]) => names.includes(name)))
}

function check(
  field: string,
  holds: boolean,
  code: AttestationErrorCode,
  found: string,
  expected: string,
): AppraisalCheck {
  return { field, status: holds ? 'passed' : 'failed', found, expected, code: holds ? null : code }
}

function unchecked(field: string, found: string): AppraisalCheck {
  return { field, status: 'unchecked', found, expected: 'any', code: null }
}

function oneOf(
  field: string,
  allowed: 'any' | readonly string[],
  found: string,
  code: AttestationErrorCode,
): AppraisalCheck {
  if (allowed === 'any') return unchecked(field, found)
  return check(field, allowed.includes(found), code, found, `one of ${allowed.join(', ')}`)
}

function rootChecks(verified: VerifiedEvidence, policy: AttestationPolicy): AppraisalCheck[] {
  if (verified.rootKind === 'hardware') return []
  const field = 'allowUnattested'
  if (policy.allowUnattested.length === 0) {
    return [check(field, false, 'POLICY_SIMULATED_ROOT_REFUSED', 'a simulated root', 'a hardware root')]
  }
  return [
    check(
      field,
      true,
      'POLICY_SIMULATED_ROOT_REFUSED',
      'a simulated root',
      policy.allowUnattested.join(', '),
    ),
    oneOf('simulatedRoots', policy.simulatedRoots, verified.root, 'ATTESTATION_ROOT_UNKNOWN'),
  ]
}

/** A hardware platform that the policy does not mention is not accepted, whatever it shows. */
function platformChecks(
  { platform, rootKind }: VerifiedEvidence,
  policy: AttestationPolicy,
): AppraisalCheck[] {
  if (rootKind === 'simulated') return []
  const named = Object.keys(policy.platforms)
  const expected = named.length === 0 ? 'no hardware platform' : `one of ${named.join(', ')}`
  const holds = Object.hasOwn(policy.platforms, platform)
  return [check('platforms', holds, 'ATTESTATION_PLATFORM_REFUSED', platform, expected)]
}

/** Digest of the manifest that the measurement leads to; null where it leads to none. */
function measuredManifest(
  verified: VerifiedEvidence,
  policy: AttestationPolicy,
  verifier: EvidenceVerifier,
  { references }: AppraisalInput,
): Uint8Array | null {
  if (verified.manifestSha384 !== null) return verified.manifestSha384
  const stranger = references.find((it) => !policy.referenceSigners.includes(it.signer))
  if (stranger !== undefined) {
    const detail = `the policy does not name ${stranger.signer} in referenceSigners`
    throw new AttestationError('ATTESTATION_REFERENCE_INVALID', detail, { field: 'references' })
  }
  const found = findReference(references, verified, verifier.identifyingRegisters)
  return found === undefined ? null : fromHex(found.manifest)
}

function manifestChecks(
  measured: Uint8Array | null,
  policy: AttestationPolicy,
  manifest: EnclaveManifest | null,
): AppraisalCheck[] {
  const found = measured === null ? 'no reference value for this measurement' : toHex(measured)
  if (manifest === null) {
    if (policy.manifests === 'any') return [unchecked('manifests', found)]
    const expected = `one of ${policy.manifests.length} reference values`
    return [check('manifests', false, 'ATTESTATION_MEASUREMENT_UNKNOWN', 'no manifest was shown', expected)]
  }
  const shown = manifestDigest(manifest)
  if (measured === null) {
    return [check('manifests', false, 'ATTESTATION_MEASUREMENT_UNKNOWN', found, toHex(shown))]
  }
  if (!equalBytes(shown, measured)) {
    return [check('manifest', false, 'ATTESTATION_MANIFEST_MISMATCH', toHex(shown), found)]
  }
  const own = check('manifest', true, 'ATTESTATION_MANIFEST_MISMATCH', toHex(shown), found)
  if (policy.manifests === 'any') return [own, unchecked('manifests', found)]
  const holds = policy.manifests.some((it) => matchesReference(manifest, it))
  const expected = `one of ${policy.manifests.length} reference values`
  return [own, check('manifests', holds, 'ATTESTATION_MEASUREMENT_UNKNOWN', found, expected)]
}

function tierChecks(
  verified: VerifiedEvidence,
  policy: AttestationPolicy,
  { capsuleMinimumTier, manifest }: AppraisalInput,
  unattested: boolean,
): AppraisalCheck[] {
  const found = tierRank(verified.tier)
  const code = 'ATTESTATION_TIER_TOO_LOW'
  const exempt = unattested && tierRank(capsuleMinimumTier) <= tierRank('simulated')
  const ofCapsule = check(
    "the capsule's minimumTier",
    exempt || found >= tierRank(capsuleMinimumTier),
    code,
    verified.tier,
    exempt ? 'waived by allowUnattested' : capsuleMinimumTier,
  )
  if (unattested) {
    return [ofCapsule, check('minimumTier', true, code, verified.tier, 'waived by allowUnattested')]
  }
  const isHigh = found >= tierRank(policy.minimumTier)
  if (isHigh && verified.rootKind === 'simulated') {
    const entry = manifest?.entry ?? 'unknown'
    return [ofCapsule, check('minimumTier', false, code, `entry ${entry}`, policy.allowUnattested.join(', '))]
  }
  return [ofCapsule, check('minimumTier', isHigh, code, verified.tier, policy.minimumTier)]
}

function stateChecks(verified: VerifiedEvidence, policy: AttestationPolicy): AppraisalCheck[] {
  const { debug, tcbStatus, advisoryIds } = verified
  const { advisories, tcbStatuses } = policy
  const found = advisoryIds.join(', ') || 'none'
  return [
    check('debug', !debug, 'ATTESTATION_DEBUG_ENABLED', String(debug), 'false'),
    oneOf('tcbStatuses', tcbStatuses, tcbStatus, 'ATTESTATION_TCB_REFUSED'),
    advisories === 'any'
      ? unchecked('advisories', found)
      : check(
          'advisories',
          advisoryIds.every((it) => advisories.includes(it)),
          'ATTESTATION_TCB_REFUSED',
          found,
          advisories.length === 0 ? 'none' : `no others than ${advisories.join(', ')}`,
        ),
  ]
}

function ageCheck(
  verified: VerifiedEvidence,
  policy: AttestationPolicy,
  input: AppraisalInput,
): AppraisalCheck {
  const sinceMs = Math.max(verified.producedAtMs ?? 0, input.nonceIssuedAtMs)
  const ageSeconds = Math.ceil((input.nowMs - sinceMs) / 1000)
  const found = `up to ${ageSeconds} s`
  const field = 'maxEvidenceAgeSeconds'
  const most = policy.maxEvidenceAgeSeconds
  if (most === 'any') return unchecked(field, found)
  return check(field, ageSeconds <= most, 'ATTESTATION_EVIDENCE_TOO_OLD', found, `${most} s`)
}

function sectionChecks(
  { platform, claims }: VerifiedEvidence,
  policy: AttestationPolicy,
  { rules }: EvidenceVerifier,
): readonly AppraisalCheck[] {
  const section = policy.platforms[platform]
  if (section === undefined) return []
  const field = `platforms.${platform}`
  return checkRules(rules, parseSection(rules, section, `policy.${field}`), claims, field)
}
