// SPDX-License-Identifier: Apache-2.0
import type { Attester } from '@mlcapsule/contracts'
import { concatBytes, equalBytes } from '@mlcapsule/crypto'
import { deviceFailed } from '../../../devices/node/device-file.ts'
import { AttestationError } from '../../../errors.ts'
import { evidenceMaxSizeBytes } from '../../../evidence/evidence-size.ts'
import { assertReportDataSize, reportDataSizeBytes } from '../../../report/report-data.ts'
import { requestTsmReport, tsmReportsDir } from '../../../tsm/node/report.ts'

/** AMD SEV-SNP Firmware ABI (56860), ATTESTATION_REPORT. */
const reportSizeBytes = 1184
const reportDataOffsetBytes = 0x50

const privilegeLevelMax = 3

export interface SevSnpAttesterOptions {
  /** `/sys/kernel/config/tsm/report` by default. */
  readonly reportsDir?: string
  /** VMPL that the report names, 0 to 3; that of the kernel when absent. */
  readonly privilegeLevel?: number
}

/**
 * Makes SEV-SNP reports in a guest with Linux 6.7 or later. The evidence is the report followed by the table of certificates
 * that the host gave, if it gave one.
 *
 * `produce` rejects with AttestationError `ATTESTATION_CLAIMS_INVALID`, `ATTESTATION_DEVICE_UNAVAILABLE`,
 * `ATTESTATION_DEVICE_FAILED`, `ATTESTATION_DEVICE_CONTENDED`.
 * @throws AttestationError `ATTESTATION_CLAIMS_INVALID` for a privilege level that there is none
 */
export function sevSnpAttester(options: SevSnpAttesterOptions = {}): Attester & { readonly name: 'sev-snp' } {
  const { reportsDir = tsmReportsDir, privilegeLevel } = options
  assertPrivilegeLevel(privilegeLevel)
  return {
    kind: 'attester',
    name: 'sev-snp',
    version: 1,
    async produce(reportData) {
      assertReportDataSize(reportData)
      const inblob = reportData.slice()
      const { outblob, auxblob } = await requestTsmReport({
        reportsDir,
        provider: 'sev_guest',
        inblob,
        ...(privilegeLevel === undefined ? {} : { privilegeLevel }),
        withAuxblob: true,
        binds: (report) => binds(report, inblob),
      })
      const bytes = concatBytes(outblob, auxblob)
      if (bytes.length > evidenceMaxSizeBytes)
        deviceFailed(`report and certificates have more than ${evidenceMaxSizeBytes} bytes`)
      return { platform: 'sev-snp', bytes }
    },
  }
}

function assertPrivilegeLevel(level: number | undefined): void {
  if (level === undefined || (Number.isInteger(level) && level >= 0 && level <= privilegeLevelMax)) return
  const detail = `privilegeLevel: expected an integer from 0 to ${privilegeLevelMax}, got ${level}`
  throw new AttestationError('ATTESTATION_CLAIMS_INVALID', detail, { field: 'privilegeLevel' })
}

function binds(report: Uint8Array, reportData: Uint8Array): boolean {
  if (report.length !== reportSizeBytes) return false
  const bound = report.subarray(reportDataOffsetBytes, reportDataOffsetBytes + reportDataSizeBytes)
  return equalBytes(bound, reportData)
}
