// SPDX-License-Identifier: Apache-2.0
import type { TrustStore } from '../../evidence/verifier.ts'
import type { Tee } from './quote.ts'

/**
 * SHA-256 of the SubjectPublicKeyInfo of `CN=Intel SGX Root CA`, under which SGX and TDX both stand.
 * @see Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, appendix A
 */
export const intelRootSpkiSha256 = 'a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e'

/** Roots under which certificates and collateral of one of Intel's platforms have to stand. */
export interface IntelTrustStore<Platform extends Tee = Tee> extends TrustStore {
  readonly platform: Platform
  readonly rootKind: 'hardware'
  /** Lower-case hex. */
  readonly rootSpkiSha256s: readonly string[]
}
