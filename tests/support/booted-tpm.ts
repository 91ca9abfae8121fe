// SPDX-License-Identifier: Apache-2.0
import type { EnclaveManifest } from '@mlcapsule/attestation'
import { sha256, toHex } from '@mlcapsule/crypto'
import { seeded } from '@mlcapsule/crypto/testing'
import { type SoftwareTpm, startSwtpm } from './swtpm.ts'

/** The registers that tests quote. */
export const bootPcrs = [0, 4, 7, 11] as const

/** The one event of each register that has one. */
const events: Readonly<Record<number, Uint8Array>> = {
  0: seeded('firmware'),
  4: seeded('image'),
  11: seeded('parts of the image'),
}

/** Of the SHA-256 bank, lower-case hex. */
export function valueAfterBoot(pcr: number): string {
  const event = events[pcr]
  return toHex(event === undefined ? new Uint8Array(32) : sha256(new Uint8Array(32), event))
}

/** What runs in the image that was booted. */
export const bootedManifest: EnclaveManifest = {
  version: 1,
  entry: 'vm',
  components: [{ name: 'enclave-core.mjs', sha384: '11'.repeat(48) }],
  plugins: [],
}

/** A TPM in software of a machine that has booted. */
export async function startBootedTpm(): Promise<SoftwareTpm> {
  const tpm = await startSwtpm()
  for (const [pcr, event] of Object.entries(events))
    await tpm.run('pcrextend', `${pcr}:sha256=${toHex(event)}`)
  return tpm
}
