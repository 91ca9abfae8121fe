// SPDX-License-Identifier: Apache-2.0
import { AttestationError } from '../../errors.ts'
import type { CollateralItems } from '../bundle.ts'
import { shownName } from '../names.ts'

/** Gets collateral from a vendor or from a cache of a vendor's. What it gets is untrusted: verifiers check it. */
export interface CollateralFetcher {
  /**
   * @throws AttestationError `ATTESTATION_COLLATERAL_UNAVAILABLE` for every failure: it never means that nothing is there;
   * `ATTESTATION_COLLATERAL_MISSING` for a name that this fetcher knows no address for
   */
  fetch(name: string): Promise<Uint8Array>
}

/**
 * Hands each name to the fetcher of its vendor, which is the first part of the name.
 * @param byVendor e.g. `{ intel: intelFetcher(…), amd: amdFetcher(…) }`
 */
export function vendorFetcher(byVendor: Readonly<Record<string, CollateralFetcher>>): CollateralFetcher {
  return {
    async fetch(name) {
      const [vendor = ''] = name.split('/')
      const fetcher = Object.hasOwn(byVendor, vendor) ? byVendor[vendor] : undefined
      if (fetcher === undefined) throw unknownName(name)
      return await fetcher.fetch(name)
    },
  }
}

/**
 * Gets one of the sets whole, the first that can be gotten, or nothing.
 * @param sets as `EvidenceVerifier.collateralNames` gives them
 * @throws as `CollateralFetcher.fetch`: the reason for which the first set could not be gotten
 */
export async function fetchCollateral(
  fetcher: CollateralFetcher,
  sets: readonly (readonly string[])[],
): Promise<CollateralItems> {
  const reasons: unknown[] = []
  for (const names of sets) {
    try {
      const items = names.map(async (name) => [name, await fetcher.fetch(name)] as const)
      return new Map(await Promise.all(items))
    } catch (reason) {
      reasons.push(reason)
    }
  }
  if (reasons.length > 0) throw reasons[0]
  return new Map()
}

export function unknownName(name: string): AttestationError {
  const detail = `there is no address for ${shownName(name)}`
  return new AttestationError('ATTESTATION_COLLATERAL_MISSING', detail, { field: 'collateral' })
}
