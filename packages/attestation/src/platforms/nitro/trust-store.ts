// SPDX-License-Identifier: Apache-2.0
import type { TrustStore } from '../../evidence/verifier.ts'

/** Name of the platform in evidence, and of its verifier. */
export const nitroPlatform = 'nitro'

/**
 * SHA-256 of the certificate of AWS's root for Nitro enclaves, lower-case hex.
 * @see AWS Nitro Enclaves user guide, verifying the root of trust: AWS_NitroEnclaves_Root-G1
 */
export const awsNitroRoots: readonly string[] = [
  '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b',
]

export interface NitroTrustStore extends TrustStore {
  readonly platform: 'nitro'
  readonly rootKind: 'hardware'
  /** SHA-256 of the whole certificate of each root that is trusted, lower-case hex. */
  readonly roots: readonly string[]
}

/** AWS's own root, unless said otherwise. */
export function nitroTrustStore(roots: readonly string[] = awsNitroRoots): NitroTrustStore {
  return { platform: nitroPlatform, rootKind: 'hardware', roots }
}
