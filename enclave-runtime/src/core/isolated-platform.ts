// SPDX-License-Identifier: Apache-2.0
import { parseManifest } from '@mlcapsule/attestation'
import type { Attester, EnclaveEntry, KernelBackend } from '@mlcapsule/contracts'
import { type AeadProvider, cryptoReady, expose, randomBytes, Secret, wipe } from '@mlcapsule/crypto'
import { volatileAnchor } from '@mlcapsule/metering'
import { assertOwnManifest } from './own-manifest.ts'
import type { Platform } from './platform.ts'

export interface IsolatedPlatformOptions {
  readonly entry: EnclaveEntry
  /** JSON of the manifest, measured with the program as part of its image: never what a host says. */
  readonly manifestText: string
  readonly attester: Attester
  readonly kernels: KernelBackend
  /** WebCrypto when absent. */
  readonly aead?: AeadProvider
}

/**
 * A platform whose hardware keeps the host out of memory, and that has nothing which outlives the process and is beyond the
 * host's reach. So nothing outlives it: sealing key and anchor are drawn here, records of an earlier process do not open, and
 * each start needs an activation of its own. A host that sets records back meets the anchor, as on any other platform.
 * @throws AttestationError `ATTESTATION_MANIFEST_INVALID`; BridgeError `BRIDGE_BUNDLE_INVALID` for a manifest that is not of this program
 */
export async function isolatedPlatform(options: IsolatedPlatformOptions): Promise<Platform> {
  await cryptoReady()
  const { entry, manifestText, attester, kernels, aead } = options
  const manifest = parseManifest(JSON.parse(manifestText))
  assertOwnManifest(manifest, entry)
  const drawn = randomBytes(32)
  const platformKey = Secret.fromBytes('platform-key', drawn)
  wipe(drawn)
  return {
    entry,
    manifest,
    attest: (reportData) => attester.produce(reportData),
    sealKey: async () => Secret.fromBytes('platform-key', expose(platformKey, 'platform-key')),
    anchor: volatileAnchor(),
    random: randomBytes,
    kernels,
    threadCount: 1,
    ...(aead === undefined ? {} : { aead }),
  }
}
