// SPDX-License-Identifier: Apache-2.0
import type { EnclaveManifest } from '@mlcapsule/attestation'
import type { EnclaveEntry } from '@mlcapsule/contracts'

/** How an enclave was started, for people and logs. */
export interface LaunchInfo {
  readonly entry: EnclaveEntry
  readonly manifest: EnclaveManifest
  /** Hex; what a policy pins. */
  readonly manifestSha384: string
  readonly kernels: 'wasm' | 'native'
  /** How large payloads travel. */
  readonly transport: 'message-port' | 'shared-memory' | 'socket'
}
