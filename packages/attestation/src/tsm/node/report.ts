// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '@mlcapsule/contracts/node'
import {
  deviceContended,
  deviceFailed,
  deviceUnavailable,
  readDeviceFile,
  readDeviceWord,
  writeDeviceFile,
} from '../../devices/node/device-file.ts'

/** TSM_REPORT_OUTBLOB_MAX of the kernel. */
const blobMaxSizeBytes = 32_768

const attemptMaxCount = 5

/** Where Linux shows it. */
export const tsmReportsDir = '/sys/kernel/config/tsm/report'

export interface TsmReportRequest {
  /** Folder in which reports are made; `tsmReportsDir` outside of tests. */
  readonly reportsDir: string
  /** Which driver has to answer. */
  readonly provider: 'tdx_guest' | 'sev_guest'
  /** 1 to 64 bytes. */
  readonly inblob: Uint8Array
  /** VMPL of the report; what the kernel takes by itself when absent. */
  readonly privilegeLevel?: number
  readonly withAuxblob: boolean
  /** Whether a report is the one asked for. */
  readonly binds: (outblob: Uint8Array) => boolean
}

export interface TsmReport {
  readonly outblob: Uint8Array
  /** Empty where none was asked for, or the host gave none. */
  readonly auxblob: Uint8Array
}

/**
 * Asks the kernel for a report in a folder of its own, which is removed whatever happens. Another writer in that folder
 * shows in `generation`; then everything is asked for anew, five times at most.
 * @throws AttestationError `ATTESTATION_DEVICE_UNAVAILABLE`, `ATTESTATION_DEVICE_FAILED`, `ATTESTATION_DEVICE_CONTENDED`
 * @see Linux, Documentation/ABI/testing/configfs-tsm-report
 */
export async function requestTsmReport(request: TsmReportRequest): Promise<TsmReport> {
  // Nobody can know the name beforehand and write there.
  const folder = join(request.reportsDir, `mlcapsule-${randomUUID()}`)
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (cause) {
    deviceUnavailable(`${request.reportsDir} makes no reports: ${systemCode(cause)}`, cause)
  }
  try {
    const provider = await readDeviceWord(join(folder, 'provider'))
    if (provider !== request.provider) {
      deviceUnavailable(`${request.reportsDir}: the provider is not ${request.provider}`)
    }
    let outcome: TsmReport | 'raced' | 'unbound' = 'raced'
    for (let attempt = 1; attempt <= attemptMaxCount; attempt++) {
      outcome = await attemptReport(folder, request)
      if (typeof outcome === 'object') return outcome
    }
    if (outcome === 'raced') throw deviceContended(request.reportsDir, attemptMaxCount)
    return deviceFailed(`${request.reportsDir}: the report is not the one asked for`)
  } finally {
    // The outcome stands whether or not an empty name is left behind.
    await rmdir(folder).catch(() => undefined)
  }
}

async function attemptReport(
  folder: string,
  request: TsmReportRequest,
): Promise<TsmReport | 'raced' | 'unbound'> {
  const { inblob, privilegeLevel, withAuxblob, binds } = request
  const before = await readGeneration(folder)
  let writeCount = 1n
  if (privilegeLevel !== undefined) {
    await writeDeviceFile(join(folder, 'privlevel'), new TextEncoder().encode(`${privilegeLevel}`))
    writeCount++
  }
  await writeDeviceFile(join(folder, 'inblob'), inblob)
  const outblob = await readDeviceFile(join(folder, 'outblob'), blobMaxSizeBytes)
  const auxblob = withAuxblob
    ? await readDeviceFile(join(folder, 'auxblob'), blobMaxSizeBytes)
    : new Uint8Array(0)
  const after = await readGeneration(folder)
  if (after - before !== writeCount) return 'raced'
  // The kernel takes a write when the file is closed, and a refusal is not told: another's may count in place of our own.
  return binds(outblob) ? { outblob, auxblob } : 'unbound'
}

async function readGeneration(folder: string): Promise<bigint> {
  const path = join(folder, 'generation')
  const text = await readDeviceWord(path)
  if (!/^\d{1,20}$/.test(text)) deviceFailed(`${path} is not a number`)
  return BigInt(text)
}
