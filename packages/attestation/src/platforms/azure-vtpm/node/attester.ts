// SPDX-License-Identifier: Apache-2.0
import type { Attester } from '@mlcapsule/contracts'
import { deviceFailed, deviceUnavailable } from '../../../devices/node/device-file.ts'
import { tpmQualifyingData } from '../../../report/claims.ts'
import { assertReportDataSize } from '../../../report/report-data.ts'
import { handleText } from '../../tpm/node/keys.ts'
import { quotePcrs, sortedPcrs } from '../../tpm/node/quote.ts'
import { type TpmCommands, type TpmOptions, withTpm } from '../../tpm/node/tools.ts'
import { azureVtpmPlatform, encodeAzureVtpmEvidence } from '../evidence-encoding.ts'
import { type HclReport, parseHclReport } from '../hcl-report.ts'

/** Where the paravisor keeps its attestation key and its report. */
const azureAkHandle = 0x8100_0003
const reportIndex = '0x1400001'

export interface AzureVtpmAttesterOptions extends TpmOptions {
  /** Of the VM; the paravisor's report has to be of the same. */
  readonly hardware: HclReport['hardware']
  /** Registers of the SHA-256 bank to be shown: those that policy and reference values name. */
  readonly pcrs: readonly number[]
  /** Of the attestation key; the one that Azure uses by default. */
  readonly handle?: number
  /**
   * Has a TD report turned into a TD quote by the host, over HTTP: what the evidence holds of the hardware. A SEV-SNP
   * report is evidence as it is.
   * @param tdReport 1,184 bytes, the report and zeros
   */
  readonly quoteTd?: (tdReport: Uint8Array) => Promise<Uint8Array>
}

/**
 * Makes evidence in a confidential VM on Azure by tpm2-tools.
 *
 * `produce` rejects with AttestationError `ATTESTATION_CLAIMS_INVALID`, `ATTESTATION_DEVICE_UNAVAILABLE`,
 * `ATTESTATION_DEVICE_FAILED`, `ATTESTATION_DEVICE_CONTENDED`, and what `quoteTd` rejects with.
 * @throws AttestationError `ATTESTATION_CLAIMS_INVALID` for a handle or registers that there are none of
 * @see Microsoft Learn, "Confidential VM: guest attestation design detail"
 */
export function azureVtpmAttester(options: AzureVtpmAttesterOptions): Attester {
  const handle = handleText(options.handle ?? azureAkHandle)
  const pcrs = sortedPcrs(options.pcrs)
  const platform = azureVtpmPlatform(options.hardware)
  return {
    kind: 'attester',
    name: platform,
    version: 1,
    async produce(reportData) {
      assertReportDataSize(reportData)
      const nonce = tpmQualifyingData(reportData)
      const { report, quoted } = await withTpm(options, async (commands) => ({
        report: await readReport(commands),
        quoted: await quotePcrs(commands, { handle, pcrs, nonce }),
      }))
      const { runtimeClaims } = report
      const hardware = await hardwareEvidence(report, options)
      return { platform, bytes: encodeAzureVtpmEvidence({ ...quoted, runtimeClaims, hardware }) }
    },
  }
}

async function readReport({ run, read }: TpmCommands): Promise<HclReport> {
  await run('nvread', reportIndex, '--hierarchy', 'o', '--output', 'report')
  const bytes = await read('report')
  try {
    return parseHclReport(bytes)
  } catch (cause) {
    return deviceFailed(`NV index ${reportIndex} holds no report of Azure's`, cause)
  }
}

async function hardwareEvidence(report: HclReport, options: AzureVtpmAttesterOptions): Promise<Uint8Array> {
  if (report.hardware !== options.hardware)
    deviceFailed(`this is a VM of ${report.hardware}, not ${options.hardware}`)
  if (report.hardware === 'sev-snp') return report.hardwareReport
  if (options.quoteTd === undefined)
    deviceUnavailable('a TD report needs quoteTd: it is no evidence by itself')
  return await options.quoteTd(report.hardwareReport)
}
