// SPDX-License-Identifier: Apache-2.0
import type { EvidenceVerifier, TrustStore } from '@mlcapsule/attestation'
import { azureVtpmTrustStore, azureVtpmVerifier } from '@mlcapsule/attestation/azure-vtpm'
import { nitroTrustStore, nitroVerifier } from '@mlcapsule/attestation/nitro'
import { sevSnpTrustStore, sevSnpVerifier } from '@mlcapsule/attestation/sev-snp'
import { sgxTrustStore, sgxVerifier } from '@mlcapsule/attestation/sgx'
import { simulatedTrustStore, simulatedVerifier } from '@mlcapsule/attestation/simulated'
import { tdxTrustStore, tdxVerifier } from '@mlcapsule/attestation/tdx'
import { tpmVerifier } from '@mlcapsule/attestation/tpm'
import { readTpmTrustStore } from '../tpm/trust-store.ts'

/** A platform whose evidence a provider can verify, with the roots that vouch for it. */
export interface SupportedPlatform {
  readonly verifier: EvidenceVerifier
  readonly rootKind: TrustStore['rootKind']
  /** Asked for at each use: what a store trusts may change while a service runs. */
  trustStore(): Promise<TrustStore>
}

/** A platform whose roots do not change while the program runs. */
export function fixedPlatform(verifier: EvidenceVerifier, trustStore: TrustStore): SupportedPlatform {
  return { verifier, rootKind: trustStore.rootKind, trustStore: () => Promise.resolve(trustStore) }
}

/** The platforms of this build whose roots are those that their vendors publish: they need no store. */
export const supportedPlatforms: readonly SupportedPlatform[] = [
  fixedPlatform(simulatedVerifier, simulatedTrustStore('any')),
  fixedPlatform(sgxVerifier, sgxTrustStore()),
  fixedPlatform(tdxVerifier, tdxTrustStore()),
  fixedPlatform(sevSnpVerifier, sevSnpTrustStore()),
  fixedPlatform(nitroVerifier, nitroTrustStore()),
  fixedPlatform(azureVtpmVerifier(sevSnpVerifier), azureVtpmTrustStore(sevSnpTrustStore())),
  fixedPlatform(azureVtpmVerifier(tdxVerifier), azureVtpmTrustStore(tdxTrustStore())),
]

/** All platforms of this build. Whose TPMs are trusted, and who may enroll their keys, the store says. */
export function platformsOf(storeDir: string): readonly SupportedPlatform[] {
  const trustStore = () => readTpmTrustStore(storeDir)
  return [...supportedPlatforms, { verifier: tpmVerifier, rootKind: 'hardware', trustStore }]
}

/** Of all platforms of this build: the rules of their sections in policies need no store. */
export const verifiers: readonly EvidenceVerifier[] = [
  ...supportedPlatforms.map(({ verifier }) => verifier),
  tpmVerifier,
]
