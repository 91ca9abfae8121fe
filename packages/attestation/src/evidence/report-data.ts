// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'
import { reportDataSizeBytes } from '../report/report-data.ts'
import type { EvidenceVerifier, TrustStore, VerifiedEvidence } from './verifier.ts'

/**
 * Genuine, but nobody has asked yet for whom it was made: it may be anyone's, and as old as its certificates. For tools that
 * show evidence to people; nothing decides by it.
 */
export interface UnboundEvidence<Claims = unknown> {
  /** As the evidence holds it: the report data, or what the platform binds in its place. Null where it holds none. */
  readonly reportData: Uint8Array | null
  readonly unbound: VerifiedEvidence<Claims>
}

/**
 * Lets evidence out that binds what is expected. Compares in constant time; an expectation of another size, an empty one
 * too, is never met.
 * @param expected 64 bytes
 * @throws AttestationError `ATTESTATION_REPORT_DATA_MISMATCH`
 */
export function bindReportData<Claims>(
  { reportData, unbound }: UnboundEvidence<Claims>,
  expected: Uint8Array,
): VerifiedEvidence<Claims> {
  const isMet = expected.length === reportDataSizeBytes && reportData !== null
  if (isMet && equalBytes(reportData, expected)) return unbound
  const detail = 'the evidence was made for other keys, another capsule or another challenge'
  throw new AttestationError('ATTESTATION_REPORT_DATA_MISMATCH', detail, { field: 'evidence.reportData' })
}

/** The `verify` of a platform whose evidence holds the report data as it is. */
export function verifyBy<Store extends TrustStore, Claims>(
  examine: EvidenceVerifier<Store, Claims>['examine'],
): EvidenceVerifier<Store, Claims>['verify'] {
  return async (evidence, context) =>
    bindReportData(await examine(evidence, context), context.expectedReportData)
}
