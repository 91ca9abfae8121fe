// SPDX-License-Identifier: Apache-2.0
import type { EvidenceVerifier, TrustStore } from '@mlcapsule/attestation'
import { simulatedTrustStore, simulatedVerifier } from '@mlcapsule/attestation/simulated'

/** A platform whose evidence a provider can verify, with the roots that vouch for it. */
export interface SupportedPlatform {
  readonly verifier: EvidenceVerifier
  readonly trustStore: TrustStore
}

/** The platforms of this build: the only list of them. */
export const supportedPlatforms: readonly SupportedPlatform[] = [
  { verifier: simulatedVerifier, trustStore: simulatedTrustStore('any') },
]

export const verifiers: readonly EvidenceVerifier[] = supportedPlatforms.map(({ verifier }) => verifier)
