// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'

/**
 * Holds the report data that evidence binds against the expected one: in constant time, over the whole length. An empty
 * expectation fits nothing.
 * @throws AttestationError `ATTESTATION_REPORT_DATA_MISMATCH`
 */
export function assertReportData(found: Uint8Array, expected: Uint8Array): void {
  if (found.length > 0 && equalBytes(found, expected)) return
  const detail = 'the evidence was made for other keys, another capsule or another challenge'
  throw new AttestationError('ATTESTATION_REPORT_DATA_MISMATCH', detail, { field: 'evidence.reportData' })
}
