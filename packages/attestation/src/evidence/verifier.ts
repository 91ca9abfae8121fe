// SPDX-License-Identifier: Apache-2.0
import type { Evidence, IsolationTier, Plugin } from '@mlcapsule/contracts'
import { AttestationError } from '../errors.ts'

/** Whether a vendor's hardware or software on the client's own machine vouches. */
export type RootKind = 'hardware' | 'simulated'

/** Roots of one platform. Each platform adds what it needs. */
export interface TrustStore {
  /** Name of the verifier that reads it. */
  readonly platform: string
  readonly rootKind: RootKind
}

/** What was found to be genuine. Whether it is acceptable is for the appraisal to say. */
export interface VerifiedEvidence {
  readonly platform: string
  readonly rootKind: RootKind
  /** What this evidence shows; `none` without a hardware root. */
  readonly tier: IsolationTier
  /** Public name of the root that vouches: hex. */
  readonly root: string
  /** SHA-384 of the manifest that was measured, 48 bytes. */
  readonly manifestSha384: Uint8Array
  readonly debug: boolean
  /** The platform's word for the state of its firmware, e.g. `UpToDate`; `none` where there is no such thing. */
  readonly tcbStatus: string
  /** When the evidence was made, where a trusted clock says so. */
  readonly producedAtMs?: number
}

export interface VerifyContext<Store extends TrustStore = TrustStore> {
  readonly nowMs: number
  readonly trustStore: Store
  /** 64 bytes, built by the verifier from what it expects. */
  readonly expectedReportData: Uint8Array
}

/** Checks that evidence is genuine and binds the expected report data. One plugin per platform. */
export interface EvidenceVerifier<Store extends TrustStore = TrustStore> extends Plugin {
  readonly kind: 'verifier'
  /**
   * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_ROOT_UNKNOWN`,
   * `ATTESTATION_SIGNATURE_INVALID`, `ATTESTATION_REPORT_DATA_MISMATCH`
   */
  verify(evidence: Evidence, context: VerifyContext<Store>): Promise<VerifiedEvidence>
}

export interface VerifyEvidenceInput {
  readonly evidence: Evidence
  readonly verifiers: readonly EvidenceVerifier[]
  readonly trustStores: readonly TrustStore[]
  readonly nowMs: number
  readonly expectedReportData: Uint8Array
}

/**
 * Hands evidence to the verifier of its platform.
 * @throws AttestationError `ATTESTATION_PLATFORM_UNKNOWN`, and whatever the verifier refuses with
 */
export async function verifyEvidence(input: VerifyEvidenceInput): Promise<VerifiedEvidence> {
  const { platform } = input.evidence
  const verifier = input.verifiers.find((it) => it.name === platform)
  const trustStore = input.trustStores.find((it) => it.platform === platform)
  if (verifier === undefined || trustStore === undefined) {
    const known = input.verifiers.map((it) => it.name).join(', ') || 'none'
    const detail = `no verifier with a trust store for this platform; there are verifiers: ${known}`
    throw new AttestationError('ATTESTATION_PLATFORM_UNKNOWN', detail, { field: 'evidence.platform' })
  }
  const { nowMs, expectedReportData } = input
  return await verifier.verify(input.evidence, { nowMs, trustStore, expectedReportData })
}
