// SPDX-License-Identifier: Apache-2.0
import {
  type AppraisalCheck,
  AttestationError,
  type AttestationPolicy,
  appraise,
  type Collateral,
  type EnclaveManifest,
  type RefusalReason,
  type VerifiedEvidence,
  verifyEvidence,
  verifyReference,
} from '@mlcapsule/attestation'
import type { Evidence } from '@mlcapsule/contracts'
import { ProviderError } from '../errors.ts'
import type { SupportedPlatform } from './verifiers.ts'

export interface PolicyCheckInput {
  readonly evidence: Evidence
  readonly policy: AttestationPolicy
  /** Null where none is shown. */
  readonly manifest: EnclaveManifest | null
  readonly collateral: Collateral
  /** Tokens, as their signers made them. */
  readonly references: readonly string[]
  /** 64 bytes. */
  readonly expectedReportData: Uint8Array
  readonly nowMs: number
  /** Null where nobody knows it: then only a trusted clock in the evidence says how old it is. */
  readonly nonceIssuedAtMs: number | null
  readonly newestSeenMs: number
  readonly platforms: readonly SupportedPlatform[]
}

/** What a policy makes of a piece of evidence, one line for each thing that was looked at. */
export interface PolicyCheckReport {
  readonly status: 'accepted' | 'refused'
  readonly policy: string
  readonly platform: string
  /** What was found genuine, null where nothing was: then no check was made. */
  readonly verified: Omit<VerifiedEvidence, 'claims' | 'manifestSha384'> | null
  readonly checks: readonly AppraisalCheck[]
  /** Empty where it is accepted. */
  readonly reasons: readonly RefusalReason[]
}

/**
 * Verifies evidence and holds it against a policy, and tells all of it. Nothing is released here.
 * @throws AttestationError `ATTESTATION_REFERENCE_INVALID`, `POLICY_*`; CryptoError `JWS_*`: what is wrong with the question
 */
export async function checkPolicy(input: PolicyCheckInput): Promise<PolicyCheckReport> {
  const { evidence, policy, nowMs, platforms } = input
  const references = await Promise.all(
    input.references.map((token) => verifyReference(token, policy.referenceSigners)),
  )
  const verifiers = platforms.map((it) => it.verifier)
  const common = { policy: policy.name, platform: evidence.platform }
  let verified: VerifiedEvidence
  try {
    verified = await verifyEvidence({
      ...input,
      verifiers,
      trustStores: platforms.map((it) => it.trustStore),
    })
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    const reasons = [{ code: error.code, detail: error.message }]
    return { ...common, status: 'refused', verified: null, checks: [], reasons }
  }
  const result = appraise(verified, policy, {
    nowMs,
    // Evidence whose age nobody knows is as old as can be.
    nonceIssuedAtMs: input.nonceIssuedAtMs ?? 0,
    manifest: input.manifest,
    capsuleMinimumTier: 'none',
    verifiers,
    references,
  })
  const { claims: _claims, manifestSha384: _digest, ...shown } = verified
  const reasons = result.status === 'refused' ? result.reasons : []
  const isAgeKnown = input.nonceIssuedAtMs !== null || verified.producedAtMs !== undefined
  const checks = isAgeKnown ? result.checks : result.checks.map(withUnknownAge)
  return { ...common, status: result.status, verified: shown, checks, reasons }
}

/** In place of the seconds since 1970. */
function withUnknownAge(check: AppraisalCheck): AppraisalCheck {
  return check.field === 'maxEvidenceAgeSeconds' ? { ...check, found: 'unknown' } : check
}

/**
 * The platform of evidence that does not say it: the one whose layout it has. A name that is given is taken as it is; the
 * verifier of that name then refuses what is not its own.
 * @throws ProviderError `PROVIDER_OPTION_INVALID` where none or several fit
 */
export function platformOf(bytes: Uint8Array, platforms: readonly SupportedPlatform[]): string {
  const fitting = platforms.filter(({ verifier, trustStore }) => {
    // A simulated platform needs no collateral, and so reads nothing yet.
    if (trustStore.rootKind === 'simulated') return false
    try {
      verifier.collateralNames({ platform: verifier.name, bytes })
      return true
    } catch (error) {
      if (error instanceof AttestationError) return false
      throw error
    }
  })
  const [first, second] = fitting.map(({ verifier }) => verifier.name)
  if (first !== undefined && second === undefined) return first
  const names = platforms.map(({ verifier }) => verifier.name).join(', ')
  const detail = `evidence does not show its platform: name it with --platform, one of ${names}`
  throw new ProviderError('PROVIDER_OPTION_INVALID', detail, { field: 'platform' })
}
