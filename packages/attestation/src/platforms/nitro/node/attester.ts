// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Attester } from '@mlcapsule/contracts'
import { addonFolder, systemCode } from '@mlcapsule/contracts/node'
import { deviceFailed, deviceUnavailable } from '../../../devices/node/device-file.ts'
import { assertReportDataSize } from '../../../report/report-data.ts'
import { attestationRequest, documentOf } from './messages.ts'

/** What native/nsm.c exports. Throws what the system says, with its code. */
interface NsmAddon {
  request(path: string, bytes: Uint8Array): Uint8Array
}

export interface NitroAttesterOptions {
  /** `/dev/nsm` by default. */
  readonly devicePath?: string
  /** File of the addon; that of this package when absent. */
  readonly addonPath?: string
}

/** What the system says where there is no such device, or none for this user. */
const unavailable: ReadonlySet<string> = new Set([
  'EACCES',
  'ENODEV',
  'ENOENT',
  'ENOTDIR',
  'ENOTTY',
  'ENXIO',
  'EPERM',
])

/** Where the build puts the addon: the same from src as from dist. */
export function nsmAddonPath(): string {
  return fileURLToPath(new URL(`../../../../${addonFolder}/mlcapsule-nsm.node`, import.meta.url))
}

/**
 * Makes attestation documents in a Nitro enclave, with the report data as `user_data`. Needs this package's addon, which its
 * build makes where there is a C compiler; a call holds the thread until the module answers.
 *
 * `produce` rejects with AttestationError `ATTESTATION_CLAIMS_INVALID`, `ATTESTATION_DEVICE_UNAVAILABLE`,
 * `ATTESTATION_DEVICE_FAILED`.
 * @see AWS Nitro Enclaves, "Nitro Secure Module API"
 */
export function nitroAttester(options: NitroAttesterOptions = {}): Attester & { readonly name: 'nitro' } {
  const { devicePath = '/dev/nsm', addonPath = nsmAddonPath() } = options
  return {
    kind: 'attester',
    name: 'nitro',
    version: 1,
    async produce(reportData) {
      assertReportDataSize(reportData)
      const response = ask(loadAddon(addonPath), devicePath, attestationRequest(reportData))
      return { platform: 'nitro', bytes: documentOf(response) }
    },
  }
}

function loadAddon(path: string): NsmAddon {
  if (!existsSync(path)) deviceUnavailable(`${path} was not built: it needs Linux and a C compiler`)
  try {
    return createRequire(import.meta.url)(path) as NsmAddon
  } catch (cause) {
    deviceUnavailable(`${path} does not load: ${systemCode(cause)}`, cause)
  }
}

function ask(addon: NsmAddon, devicePath: string, request: Uint8Array): Uint8Array {
  try {
    return addon.request(devicePath, request)
  } catch (cause) {
    const code = systemCode(cause)
    if (unavailable.has(code)) deviceUnavailable(`${devicePath} is no Nitro security module: ${code}`, cause)
    deviceFailed(`${devicePath} does not answer: ${code}`, cause)
  }
}
