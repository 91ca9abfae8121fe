// SPDX-License-Identifier: Apache-2.0
import type { EvidenceVerifier, TrustStore } from '@mlcapsule/attestation'
import { azureVtpmTrustStore, azureVtpmVerifier } from '@mlcapsule/attestation/azure-vtpm'
import { nitroTrustStore, nitroVerifier } from '@mlcapsule/attestation/nitro'
import { sevSnpTrustStore, sevSnpVerifier } from '@mlcapsule/attestation/sev-snp'
import { sgxTrustStore, sgxVerifier } from '@mlcapsule/attestation/sgx'
import { simulatedTrustStore, simulatedVerifier } from '@mlcapsule/attestation/simulated'
import { tdxTrustStore, tdxVerifier } from '@mlcapsule/attestation/tdx'

/** A platform whose evidence a provider can verify, with the roots that vouch for it. */
export interface SupportedPlatform {
  readonly verifier: EvidenceVerifier
  readonly trustStore: TrustStore
}

/** The platforms of this build: the only list of them. Their roots are those that their vendors publish. */
export const supportedPlatforms: readonly SupportedPlatform[] = [
  { verifier: simulatedVerifier, trustStore: simulatedTrustStore('any') },
  { verifier: sgxVerifier, trustStore: sgxTrustStore() },
  { verifier: tdxVerifier, trustStore: tdxTrustStore() },
  { verifier: sevSnpVerifier, trustStore: sevSnpTrustStore() },
  { verifier: nitroVerifier, trustStore: nitroTrustStore() },
  { verifier: azureVtpmVerifier(sevSnpVerifier), trustStore: azureVtpmTrustStore(sevSnpTrustStore()) },
  { verifier: azureVtpmVerifier(tdxVerifier), trustStore: azureVtpmTrustStore(tdxTrustStore()) },
]

export const verifiers: readonly EvidenceVerifier[] = supportedPlatforms.map(({ verifier }) => verifier)
