// SPDX-License-Identifier: Apache-2.0
import { AttestationError, type Collateral, noCollateral } from '@mlcapsule/attestation'
import type { CollateralCache } from '@mlcapsule/attestation/node'
import type { Evidence } from '@mlcapsule/contracts'
import type { SupportedPlatform } from './verifiers.ts'

/**
 * What the cache has of the collateral that a piece of evidence needs. Nothing where its layout cannot be read: that is for
 * the verifier to refuse.
 * @throws AttestationError `ATTESTATION_FILES_UNUSABLE`
 */
export async function cachedCollateral(
  evidence: Evidence,
  platform: SupportedPlatform | undefined,
  cache: CollateralCache,
): Promise<Collateral> {
  let names: readonly string[]
  try {
    names = platform?.verifier.collateralNames(evidence).flat() ?? []
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return noCollateral
  }
  return names.length === 0 ? noCollateral : await cache.load(names)
}

export function findPlatform(
  name: string,
  platforms: readonly SupportedPlatform[],
): SupportedPlatform | undefined {
  return platforms.find(({ verifier }) => verifier.name === name)
}
