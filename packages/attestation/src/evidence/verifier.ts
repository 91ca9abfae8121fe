// SPDX-License-Identifier: Apache-2.0
import type { Evidence, IsolationTier, Plugin } from '@mlcapsule/contracts'
import type { PlatformRules } from '../appraise/rules.ts'
import { type Collateral, noCollateral } from '../collateral/collateral.ts'
import { AttestationError } from '../errors.ts'
import type { UnboundEvidence } from './report-data.ts'

/** Whether a vendor's hardware or software on the client's own machine vouches. */
export type RootKind = 'hardware' | 'simulated'

/** Roots of one platform. Each platform adds what it needs. */
export interface TrustStore {
  /** Name of the verifier that reads it. */
  readonly platform: string
  readonly rootKind: RootKind
}

/** What was found to be genuine. Whether it is acceptable is for the appraisal to say. */
export interface VerifiedEvidence<Claims = unknown> {
  readonly platform: string
  readonly rootKind: RootKind
  /** What this evidence shows; `none` without a hardware root. */
  readonly tier: IsolationTier
  /** Public name of the root that vouches: hex. */
  readonly root: string
  /**
   * SHA-384 of the manifest that was measured, 48 bytes; null where the platform measures something else, from which only a
   * signed reference value leads to a manifest.
   */
  readonly manifestSha384: Uint8Array | null
  /** The registers that say what runs, lower-case hex by name: what reference values are held against. */
  readonly measurement: Readonly<Record<string, string>>
  readonly debug: boolean
  /** The platform's word for the state of its firmware, e.g. `UpToDate`; `none` where there is no such thing. */
  readonly tcbStatus: string
  /** The vendor's advisories that apply to this firmware. */
  readonly advisoryIds: readonly string[]
  /** When the evidence was made, where a trusted clock says so. */
  readonly producedAtMs?: number
  /** The newest time that anything signed by the vendor names as past: a clock behind it is wrong. */
  readonly newestSignedAtMs?: number
  /** All that the platform's rules look at. */
  readonly claims: Claims
}

export interface ExamineContext<Store extends TrustStore = TrustStore> {
  readonly nowMs: number
  readonly trustStore: Store
  readonly collateral: Collateral
}

export interface VerifyContext<Store extends TrustStore = TrustStore> extends ExamineContext<Store> {
  /** 64 bytes, built by the verifier from what it expects. */
  readonly expectedReportData: Uint8Array
}

/** One platform: checks that evidence is genuine and binds the expected report data, and says what policies may rule. */
export interface EvidenceVerifier<Store extends TrustStore = TrustStore, Claims = unknown> extends Plugin {
  readonly kind: 'verifier'
  /** What a policy's section about this platform holds. */
  readonly rules: PlatformRules<Claims>
  /**
   * Registers that a reference value has to name, all of them, to say what runs; one of the lists. Empty where the evidence
   * holds the manifest's digest itself.
   */
  readonly identifyingRegisters: readonly (readonly string[])[]
  /**
   * Names of the collateral that `verify` will ask for: sets of them, of which it needs one whole. There are several where
   * the evidence does not say which of its vendor's products it is of. Reads the layout alone and trusts nothing.
   * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_EVIDENCE_UNSUPPORTED`,
   * `ATTESTATION_CERTIFICATE_INVALID`
   */
  collateralNames(evidence: Evidence): readonly (readonly string[])[]
  /**
   * Does all that `verify` does but to ask for whom the evidence was made.
   * @throws AttestationError as `verify`, but for `ATTESTATION_REPORT_DATA_MISMATCH`
   */
  examine(evidence: Evidence, context: ExamineContext<Store>): Promise<UnboundEvidence<Claims>>
  /**
   * @throws AttestationError `ATTESTATION_EVIDENCE_*`, `ATTESTATION_ROOT_UNKNOWN`, `ATTESTATION_CERTIFICATE_*`,
   * `ATTESTATION_REVOCATION_UNKNOWN`, `ATTESTATION_COLLATERAL_*`, `ATTESTATION_ENDORSEMENT_MISMATCH`,
   * `ATTESTATION_TCB_REVOKED`, `ATTESTATION_SIGNATURE_INVALID`, `ATTESTATION_REPORT_DATA_MISMATCH`
   */
  verify(evidence: Evidence, context: VerifyContext<Store>): Promise<VerifiedEvidence<Claims>>
}

export interface ExamineEvidenceInput {
  readonly evidence: Evidence
  readonly verifiers: readonly EvidenceVerifier[]
  readonly trustStores: readonly TrustStore[]
  readonly collateral?: Collateral
  readonly nowMs: number
  /** The newest `newestSignedAtMs` that was ever seen here; a clock behind it has been set back. */
  readonly newestSeenMs?: number
}

export interface VerifyEvidenceInput extends ExamineEvidenceInput {
  readonly expectedReportData: Uint8Array
}

/**
 * Hands evidence to the verifier of its platform.
 * @throws AttestationError `ATTESTATION_PLATFORM_UNKNOWN`, `ATTESTATION_CLOCK_BEHIND`, and whatever the verifier refuses with
 */
export async function verifyEvidence(input: VerifyEvidenceInput): Promise<VerifiedEvidence> {
  const { verifier, context } = prepare(input)
  const { expectedReportData } = input
  return await verifier.verify(input.evidence, { ...context, expectedReportData })
}

/** As `verifyEvidence`, but for whom it was made: for tools that show evidence to people. @throws as `verifyEvidence` */
export async function examineEvidence(input: ExamineEvidenceInput): Promise<UnboundEvidence> {
  const { verifier, context } = prepare(input)
  return await verifier.examine(input.evidence, context)
}

function prepare(input: ExamineEvidenceInput): {
  readonly verifier: EvidenceVerifier
  readonly context: ExamineContext
} {
  const { nowMs, newestSeenMs = 0, collateral = noCollateral } = input
  const verifier = verifierOf(input.evidence.platform, input.verifiers)
  const trustStore = input.trustStores.find((it) => it.platform === verifier.name)
  if (trustStore === undefined) throw unknownPlatform(input.verifiers)
  if (nowMs < newestSeenMs) {
    const detail = `it is ${new Date(nowMs).toISOString()} here, and ${new Date(newestSeenMs).toISOString()} was seen before`
    throw new AttestationError('ATTESTATION_CLOCK_BEHIND', detail, { field: 'nowMs' })
  }
  return { verifier, context: { nowMs, trustStore, collateral } }
}

/** @throws AttestationError `ATTESTATION_PLATFORM_UNKNOWN` */
export function verifierOf(platform: string, verifiers: readonly EvidenceVerifier[]): EvidenceVerifier {
  const verifier = verifiers.find((it) => it.name === platform)
  if (verifier === undefined) throw unknownPlatform(verifiers)
  return verifier
}

function unknownPlatform(verifiers: readonly EvidenceVerifier[]): AttestationError {
  const known = verifiers.map((it) => it.name).join(', ') || 'none'
  const detail = `no verifier with a trust store for this platform; there are verifiers: ${known}`
  return new AttestationError('ATTESTATION_PLATFORM_UNKNOWN', detail, { field: 'evidence.platform' })
}
