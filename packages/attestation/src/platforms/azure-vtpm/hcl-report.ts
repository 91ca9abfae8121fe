// SPDX-License-Identifier: Apache-2.0
import { ByteReader } from '../../bytes/byte-reader.ts'
import { unsupported } from '../tpm/algorithms.ts'

/** `HCLA`. */
const signature = 0x414c4348
const versions: readonly number[] = [1, 2]
/** A report of SEV-SNP fills it; a TD report is shorter, and zeros follow. */
const hardwareReportSizeBytes = 1184
/** Size, version, type of the report, type of the hash, size of the claims. */
const runtimeHeadSizeBytes = 20
const runtimeVersion = 1
const sha256Type = 1
const reportTypes: Readonly<Record<number, 'sev-snp' | 'tdx'>> = { 2: 'sev-snp', 4: 'tdx' }

/** What Azure's paravisor keeps in NV index 0x01400001 of the vTPM, as read: nothing of it is trusted. */
export interface HclReport {
  readonly hardware: 'sev-snp' | 'tdx'
  /** 1,184 bytes: the SEV-SNP report; or the TD report, which nobody but its own machine can verify, and zeros. */
  readonly hardwareReport: Uint8Array
  /** JSON, as it was hashed into the report data. */
  readonly runtimeClaims: Uint8Array
}

/**
 * Reads an HCL report. Zeros may follow it: an NV index has one size.
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_EVIDENCE_UNSUPPORTED`
 * @see Microsoft Learn, "Confidential VM: guest attestation design detail" (attestation report format)
 */
export function parseHclReport(bytes: Uint8Array): HclReport {
  const reader = new ByteReader(bytes, { what: 'HCL report' })
  if (reader.u32() !== signature) reader.refuse('does not begin with HCLA')
  const version = reader.u32()
  if (!versions.includes(version)) throw unsupported(`version ${version} of the HCL report is not read here`)
  const reportSizeBytes = reader.u32()
  // Type of the request, status, reserved: they say how it was asked for.
  reader.skip(20)
  const hardwareReport = reader.bytes(hardwareReportSizeBytes)
  const dataSizeBytes = reader.u32()
  const dataVersion = reader.u32()
  if (dataVersion !== runtimeVersion)
    throw unsupported(`version ${dataVersion} of the runtime data is not read here`)
  const hardware = reportTypes[reader.u32()]
  if (hardware === undefined) throw unsupported('the HCL report holds a report of another hardware')
  if (reader.u32() !== sha256Type)
    throw unsupported('the runtime claims are hashed by something else than SHA-256')
  const runtimeClaims = reader.bytes(reader.u32())
  if (
    dataSizeBytes !== runtimeHeadSizeBytes + runtimeClaims.length ||
    reportSizeBytes !== reader.offsetBytes
  ) {
    reader.refuse('its sizes do not agree')
  }
  reader.zeros(reader.restSizeBytes, 'what follows the claims')
  return { hardware, hardwareReport, runtimeClaims }
}
