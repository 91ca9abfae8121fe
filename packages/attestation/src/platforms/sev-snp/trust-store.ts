// SPDX-License-Identifier: Apache-2.0
import type { TrustStore } from '../../evidence/verifier.ts'
import { amdRootKeys, type SevSnpProduct } from './product.ts'

/** Name of the platform in evidence, and of its verifier. */
export const sevSnpPlatform = 'sev-snp'

export interface SevSnpTrustStore extends TrustStore {
  readonly platform: 'sev-snp'
  readonly rootKind: 'hardware'
  /** SHA-256 of the SubjectPublicKeyInfo of each root (ARK) that is trusted for a product, lower-case hex. */
  readonly rootKeys: Readonly<Record<SevSnpProduct, readonly string[]>>
  /** `'unchecked'` does without AMD's lists of revoked authorities. */
  readonly revocation: 'required' | 'unchecked'
}

/** AMD's own roots and its lists of revoked authorities, unless said otherwise. */
export function sevSnpTrustStore(
  options: Partial<Pick<SevSnpTrustStore, 'rootKeys' | 'revocation'>> = {},
): SevSnpTrustStore {
  const { rootKeys = amdRootKeys, revocation = 'required' } = options
  return { platform: sevSnpPlatform, rootKind: 'hardware', rootKeys, revocation }
}
