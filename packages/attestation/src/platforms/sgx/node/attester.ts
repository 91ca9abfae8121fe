// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import type { Attester } from '@mlcapsule/contracts'
import { systemCode } from '@mlcapsule/contracts/node'
import { equalBytes } from '@mlcapsule/crypto'
import {
  deviceContended,
  deviceFailed,
  deviceUnavailable,
  readDeviceFile,
  readDeviceWord,
  writeDeviceFile,
} from '../../../devices/node/device-file.ts'
import { oneAtATime } from '../../../devices/node/one-at-a-time.ts'
import { evidenceMaxSizeBytes } from '../../../evidence/evidence-size.ts'
import { assertReportDataSize, reportDataSizeBytes } from '../../../report/report-data.ts'

/** In a quote of version 3: header of 48 bytes, then the report body, whose report data is at 320 (Intel SGX ECDSA QuoteGeneration, appendix A.4). */
const reportDataOffsetBytes = 48 + 320

const attemptMaxCount = 3

export interface GramineAttesterOptions {
  /** `/dev/attestation` by default. */
  readonly deviceDir?: string
}

/**
 * Makes SGX quotes inside Gramine, whose manifest has to say `sgx.remote_attestation = "dcap"`. Gramine keeps one report data
 * for the whole process: calls are made one after another, and a quote that binds what another thread wrote in between is
 * asked for anew, three times at most.
 *
 * `produce` rejects with AttestationError `ATTESTATION_CLAIMS_INVALID`, `ATTESTATION_DEVICE_UNAVAILABLE`,
 * `ATTESTATION_DEVICE_FAILED`, `ATTESTATION_DEVICE_CONTENDED`.
 * @see Gramine documentation, "Attestation and Secret Provisioning", low-level interface
 */
export function gramineAttester(options: GramineAttesterOptions = {}): Attester & { readonly name: 'sgx' } {
  const { deviceDir = '/dev/attestation' } = options
  return {
    kind: 'attester',
    name: 'sgx',
    version: 1,
    async produce(reportData) {
      assertReportDataSize(reportData)
      const bound = reportData.slice()
      return { platform: 'sgx', bytes: await oneAtATime(deviceDir, () => quote(deviceDir, bound)) }
    },
  }
}

async function quote(deviceDir: string, reportData: Uint8Array): Promise<Uint8Array> {
  await assertDcap(deviceDir)
  for (let attempt = 1; attempt <= attemptMaxCount; attempt++) {
    await writeDeviceFile(join(deviceDir, 'user_report_data'), reportData)
    const bytes = await readDeviceFile(join(deviceDir, 'quote'), evidenceMaxSizeBytes)
    const bound = bytes.subarray(reportDataOffsetBytes, reportDataOffsetBytes + reportDataSizeBytes)
    if (bound.length < reportDataSizeBytes) deviceFailed(`${deviceDir}: the quote has ${bytes.length} bytes`)
    if (equalBytes(bound, reportData)) return bytes
  }
  throw deviceContended(deviceDir, attemptMaxCount)
}

async function assertDcap(deviceDir: string): Promise<void> {
  const type = await readDeviceWord(join(deviceDir, 'attestation_type')).catch((error: unknown) =>
    deviceUnavailable(`${deviceDir} is not Gramine's: ${systemCode((error as Error).cause)}`, error),
  )
  if (type !== 'dcap') deviceUnavailable(`${deviceDir}: the attestation type is not dcap`)
}
