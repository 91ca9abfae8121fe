// SPDX-License-Identifier: Apache-2.0
import type { EnclaveManifest } from '@mlcapsule/attestation'
import type { EnclaveEntry } from '@mlcapsule/contracts'
import { BridgeError } from '@mlcapsule/enclave-bridge/protocol'
import { plugins } from '../compose.ts'

/** Refuses a manifest of another build or entry. @throws BridgeError `BRIDGE_BUNDLE_INVALID` */
export function assertOwnManifest(manifest: EnclaveManifest, entry: EnclaveEntry): void {
  if (manifest.entry === entry && JSON.stringify(manifest.plugins) === JSON.stringify(plugins)) return
  throw new BridgeError('BRIDGE_BUNDLE_INVALID', 'the manifest describes another build', {
    field: 'manifest',
  })
}
