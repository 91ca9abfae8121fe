// SPDX-License-Identifier: Apache-2.0
import { parseManifest } from '@mlcapsule/attestation'
import { simulatedAttester } from '@mlcapsule/attestation/simulated'
import type { Anchor, EnclaveEntry, KernelBackend } from '@mlcapsule/contracts'
import {
  type AeadProvider,
  cryptoReady,
  decodeCbor,
  expose,
  randomBytes,
  Secret,
  signingKeyPairFrom,
  wipe,
} from '@mlcapsule/crypto'
import type { DoorCalls } from '@mlcapsule/enclave-bridge/enclave'
import { bridgeLimits, type RequestBody } from '@mlcapsule/enclave-bridge/protocol'
import { assertOwnManifest } from './own-manifest.ts'
import type { Platform } from './platform.ts'

export interface SimulatedPlatformOptions {
  readonly launch: RequestBody<'launch'>
  readonly door: DoorCalls
  readonly entry: EnclaveEntry
  readonly kernels: KernelBackend
  readonly aead?: AeadProvider
}

/**
 * A platform that vouches for nothing: root key, sealing key and anchor are the launcher's own. The program runs as it
 * would on hardware, for development, tests and browsers.
 * @throws BridgeError `BRIDGE_BUNDLE_INVALID` for a manifest that is not of this program
 */
export async function simulatedPlatform(options: SimulatedPlatformOptions): Promise<Platform> {
  await cryptoReady()
  const { launch, door, entry, kernels } = options
  const decoded = decodeCbor(launch.manifest, { maxSizeBytes: bridgeLimits.manifestMaxSizeBytes })
  const manifest = parseManifest(decoded)
  assertOwnManifest(manifest, entry)
  const platformKey = Secret.fromBytes('platform-key', launch.platformKey)
  const root = signingKeyPairFrom(Secret.fromBytes('ed25519-private', launch.rootPrivateKey))
  wipe(launch.platformKey)
  wipe(launch.rootPrivateKey)
  const attester = simulatedAttester({ root, manifest })
  return {
    entry,
    manifest,
    attest: (reportData) => attester.produce(reportData),
    sealKey: async () => Secret.fromBytes('platform-key', expose(platformKey, 'platform-key')),
    anchor: launcherAnchor(door, launch.anchorDescriptor),
    random: randomBytes,
    kernels,
    threadCount: launch.threadCount,
    ...(launch.memoryBudgetSizeBytes === undefined
      ? {}
      : { memoryBudgetSizeBytes: launch.memoryBudgetSizeBytes }),
    ...(options.aead === undefined ? {} : { aead: options.aead }),
  }
}

/** An anchor that the launcher keeps. */
function launcherAnchor(door: DoorCalls, descriptor: Uint8Array): Anchor {
  return {
    kind: 'anchor',
    name: 'launcher',
    version: 1,
    descriptor,
    read: async () => (await door.call('readAnchor', {})).body.digest,
    extend: async (digest) => {
      await door.call('extendAnchor', { digest })
    },
  }
}
