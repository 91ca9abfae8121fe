// SPDX-License-Identifier: Apache-2.0
import {
  type AppraisalCheck,
  AttestationError,
  type AttestationPolicy,
  appraise,
  type Collateral,
  type EnclaveManifest,
  examineEvidence,
  type RefusalReason,
  type UnboundEvidence,
  type VerifiedEvidence,
  type VerifyEvidenceInput,
  verifyEvidence,
  verifyReference,
} from '@mlcapsule/attestation'
import type { Evidence } from '@mlcapsule/contracts'
import { toHex } from '@mlcapsule/crypto'
import { ProviderError } from '../errors.ts'
import { findPlatform } from './endorsements.ts'
import type { SupportedPlatform } from './verifiers.ts'

export interface PolicyCheckInput {
  readonly evidence: Evidence
  readonly policy: AttestationPolicy
  /** Null where none is shown. */
  readonly manifest: EnclaveManifest | null
  readonly collateral: Collateral
  /** Tokens, as their signers made them. */
  readonly references: readonly string[]
  /** 64 bytes. Null where nobody knows: then the evidence may be anyone's, and is not accepted. */
  readonly expectedReportData: Uint8Array | null
  readonly nowMs: number
  /** Null where nobody knows it: then only a trusted clock in the evidence says how old it is. */
  readonly nonceIssuedAtMs: number | null
  readonly newestSeenMs: number
  readonly platforms: readonly SupportedPlatform[]
}

/** What a policy makes of a piece of evidence, one line for each thing that was looked at. */
export interface PolicyCheckReport {
  /** `unbound`: nothing is wrong with it, but nobody has said what it has to bind. */
  readonly status: 'accepted' | 'unbound' | 'refused'
  readonly policy: string
  readonly platform: string
  /** What was found genuine, null where nothing was: then no check was made. */
  readonly verified: Omit<VerifiedEvidence, 'claims' | 'manifestSha384'> | null
  readonly checks: readonly AppraisalCheck[]
  /** Empty where nothing is wrong. */
  readonly reasons: readonly RefusalReason[]
}

/**
 * Verifies evidence and holds it against a policy, and tells all of it. Nothing is released here.
 * @throws AttestationError `ATTESTATION_REFERENCE_INVALID`, `POLICY_*`; CryptoError `JWS_*`: what is wrong with the question;
 * ProviderError `PROVIDER_*` where the platform's trust store cannot be read
 */
export async function checkPolicy(input: PolicyCheckInput): Promise<PolicyCheckReport> {
  const { evidence, policy, nowMs, platforms } = input
  const references = await Promise.all(
    input.references.map((token) => verifyReference(token, policy.referenceSigners)),
  )
  const verifiers = platforms.map((it) => it.verifier)
  const trustStore = await findPlatform(evidence.platform, platforms)?.trustStore()
  const common = { policy: policy.name, platform: evidence.platform }
  const examined = { ...input, verifiers, trustStores: trustStore === undefined ? [] : [trustStore] }
  let found: UnboundEvidence
  let binding: AppraisalCheck
  try {
    found = await examineEvidence(examined)
    binding = await bindingCheck(examined, found)
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    const reasons = [{ code: error.code, detail: error.message }]
    return { ...common, status: 'refused', verified: null, checks: [], reasons }
  }
  const verified = found.unbound
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
  const reasons = [
    ...(binding.code === null ? [] : [{ code: binding.code, detail: 'the evidence binds something else' }]),
    ...(result.status === 'refused' ? result.reasons : []),
  ]
  const isAgeKnown = input.nonceIssuedAtMs !== null || verified.producedAtMs !== undefined
  const checks = [binding, ...(isAgeKnown ? result.checks : result.checks.map(withUnknownAge))]
  const passed = binding.status === 'unchecked' ? 'unbound' : 'accepted'
  return {
    ...common,
    status: reasons.length === 0 ? passed : 'refused',
    verified: shown,
    checks,
    reasons,
  }
}

/** For whom the evidence was made. A platform may bind something in place of the report data: its verifier compares. */
async function bindingCheck(
  input: Omit<VerifyEvidenceInput, 'expectedReportData'> & Pick<PolicyCheckInput, 'expectedReportData'>,
  { reportData }: UnboundEvidence,
): Promise<AppraisalCheck> {
  const { expectedReportData } = input
  const found = reportData === null ? 'nothing' : toHex(reportData)
  const common = { field: 'reportData', found }
  if (expectedReportData === null) return { ...common, status: 'unchecked', expected: 'any', code: null }
  const expected = toHex(expectedReportData)
  try {
    await verifyEvidence({ ...input, expectedReportData })
    return { ...common, status: 'passed', expected, code: null }
  } catch (error) {
    const code = 'ATTESTATION_REPORT_DATA_MISMATCH'
    if (!(error instanceof AttestationError) || error.code !== code) throw error
    return { ...common, status: 'failed', expected, code }
  }
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
  const fitting = platforms.filter(({ verifier, rootKind }) => {
    // A simulated platform needs no collateral, and so reads nothing yet.
    if (rootKind === 'simulated') return false
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
