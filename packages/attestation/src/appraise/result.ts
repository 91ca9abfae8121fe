// SPDX-License-Identifier: Apache-2.0
import type { EnclaveEntry, IsolationTier } from '@mlcapsule/contracts'
import { AttestationError, type AttestationErrorCode } from '../errors.ts'
import type { AppraisalCheck } from './rules.ts'

export interface RefusalReason {
  readonly code: AttestationErrorCode
  readonly detail: string
}

/** What an appraisal found (attestation result of RFC 9334 §8.4). */
export interface AcceptedAttestation {
  readonly status: 'accepted'
  readonly policy: string
  readonly platform: string
  /** As found, never as claimed. */
  readonly tier: IsolationTier
  /** The registers that say what runs, lower-case hex by name; empty where the platform measures the manifest itself. */
  readonly measurement: Readonly<Record<string, string>>
  /** Of the manifest; null where none was shown. */
  readonly entry: EnclaveEntry | null
  /** Whether the policy's `allowUnattested` was needed: the owner of the machine can read the model. */
  readonly unattested: boolean
  /** Lower-case hex; null where none was shown. */
  readonly manifestSha384: string | null
  readonly tcbStatus: string
  /** All that was looked at. */
  readonly checks: readonly AppraisalCheck[]
}

/** One in which the enclave's manifest was shown and is the measured one. */
export interface AcceptedEnclave extends AcceptedAttestation {
  readonly entry: EnclaveEntry
  readonly manifestSha384: string
}

export interface RefusedAttestation {
  readonly status: 'refused'
  readonly policy: string
  readonly platform: string
  readonly tier: IsolationTier
  /** As of an acceptance. */
  readonly measurement: Readonly<Record<string, string>>
  /** All that was found wrong, never empty. */
  readonly reasons: readonly RefusalReason[]
  /** All that was looked at. */
  readonly checks: readonly AppraisalCheck[]
}

export type AttestationResult = AcceptedAttestation | RefusedAttestation

/** The error of a refusal: the first reason's code, all reasons in the message. */
export function refusalError(reasons: readonly RefusalReason[]): AttestationError {
  const code = reasons[0]?.code ?? 'ATTESTATION_MEASUREMENT_UNKNOWN'
  return new AttestationError(code, reasons.map((it) => `${it.code}: ${it.detail}`).join('; '), {
    field: 'evidence',
  })
}

/** @throws AttestationError with the code of the first reason, all of them in its message */
export function requireAccepted(result: AttestationResult): AcceptedAttestation {
  if (result.status === 'accepted') return result
  throw refusalError(result.reasons)
}
