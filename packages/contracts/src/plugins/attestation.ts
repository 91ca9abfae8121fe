// SPDX-License-Identifier: Apache-2.0
import type { Plugin } from './plugin.ts'

export const isolationTiers = ['none', 'simulated', 'process', 'sgx', 'tdx', 'sev-snp', 'nitro'] as const

/** Isolation as an appraisal finds it. Never what evidence says of itself. */
export type IsolationTier = (typeof isolationTiers)[number]

/** How an enclave is started. It says nothing about what isolates it. */
export type EnclaveEntry = 'worker' | 'process' | 'gramine' | 'vm'

/** Signed claims about an attester (RFC 9334 §4.2), in the platform's own format. */
export interface Evidence {
  /** Name of the verifier plugin that can read `bytes`. */
  readonly platform: string
  readonly bytes: Uint8Array
}

/** Makes evidence, inside the boundary. */
export interface Attester extends Plugin {
  readonly kind: 'attester'
  /** @param reportData 64 bytes that the evidence binds */
  produce(reportData: Uint8Array): Promise<Evidence>
}
