// SPDX-License-Identifier: Apache-2.0
import { AttestationError } from '../errors.ts'

/** What every platform can bind. */
export const reportDataSizeBytes = 64

/** What an attester asks first. @throws AttestationError `ATTESTATION_CLAIMS_INVALID` for another size than 64 bytes */
export function assertReportDataSize(reportData: Uint8Array): void {
  if (reportData.length === reportDataSizeBytes) return
  const detail = `reportData has ${reportDataSizeBytes} bytes, got ${reportData.length}`
  throw new AttestationError('ATTESTATION_CLAIMS_INVALID', detail, { field: 'reportData' })
}
