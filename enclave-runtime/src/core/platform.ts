// SPDX-License-Identifier: Apache-2.0
import type { EnclaveManifest } from '@mlcapsule/attestation'
import type { Anchor, EnclaveEntry, Evidence, KernelBackend } from '@mlcapsule/contracts'
import type { AeadProvider, Secret } from '@mlcapsule/crypto'

/** What the platform gives the enclave. Trusted: it is part of what is measured, or is the hardware itself. */
export interface Platform {
  readonly entry: EnclaveEntry
  /** What runs in here. */
  readonly manifest: EnclaveManifest
  /** Evidence that binds 64 bytes. */
  attest(reportData: Uint8Array): Promise<Evidence>
  /** The platform's half of the key over sealed state. The caller wipes it. */
  sealKey(): Promise<Secret<'platform-key'>>
  readonly anchor: Anchor
  random(sizeBytes: number): Uint8Array
  /** WebCrypto when absent. */
  readonly aead?: AeadProvider
  readonly kernels: KernelBackend
  readonly threadCount: number
  /** For the model: none when absent. */
  readonly memoryBudgetSizeBytes?: number
}
