// SPDX-License-Identifier: Apache-2.0
import type { Attester } from '@mlcapsule/contracts'
import { equalBytes } from '@mlcapsule/crypto'
import { assertReportDataSize, reportDataSizeBytes } from '../../../report/report-data.ts'
import { requestTsmReport, tsmReportsDir } from '../../../tsm/node/report.ts'

/** Of the report data in a quote, by its version: header, in version 5 the body's descriptor, and 520 bytes of the body (Intel TDX DCAP Quoting Library API, appendix A.3). */
const reportDataOffsets: ReadonlyMap<number, number> = new Map([
  [4, 48 + 520],
  [5, 48 + 6 + 520],
])

export interface TdxAttesterOptions {
  /** `/sys/kernel/config/tsm/report` by default. */
  readonly reportsDir?: string
}

/**
 * Makes TDX quotes in a trust domain with Linux 6.7 or later.
 *
 * `produce` rejects with AttestationError `ATTESTATION_CLAIMS_INVALID`, `ATTESTATION_DEVICE_UNAVAILABLE`,
 * `ATTESTATION_DEVICE_FAILED`, `ATTESTATION_DEVICE_CONTENDED`.
 */
export function tdxAttester(options: TdxAttesterOptions = {}): Attester & { readonly name: 'tdx' } {
  const { reportsDir = tsmReportsDir } = options
  return {
    kind: 'attester',
    name: 'tdx',
    version: 1,
    async produce(reportData) {
      assertReportDataSize(reportData)
      const inblob = reportData.slice()
      const { outblob } = await requestTsmReport({
        reportsDir,
        provider: 'tdx_guest',
        inblob,
        withAuxblob: false,
        binds: (quote) => binds(quote, inblob),
      })
      return { platform: 'tdx', bytes: outblob }
    },
  }
}

function binds(quote: Uint8Array, reportData: Uint8Array): boolean {
  const offsetBytes = reportDataOffsets.get((quote[0] ?? 0) | ((quote[1] ?? 0) << 8))
  if (offsetBytes === undefined) return false
  return equalBytes(quote.subarray(offsetBytes, offsetBytes + reportDataSizeBytes), reportData)
}
