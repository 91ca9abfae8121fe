// SPDX-License-Identifier: Apache-2.0
import { AttestationError } from '../errors.ts'
import { shownName } from './names.ts'

/**
 * What vendors say about their platforms (endorsements of RFC 9334 §8.2), by name: certificates, lists of revoked ones,
 * TCB tables. Each platform lists its names. Wherever it comes from, it is untrusted: verifiers check all of it each time.
 */
export interface Collateral {
  get(name: string): Uint8Array | undefined
}

/** For platforms whose evidence brings all that it needs. */
export const noCollateral: Collateral = new Map<string, Uint8Array>()

/** @throws AttestationError `ATTESTATION_COLLATERAL_MISSING` */
export function requireCollateral(collateral: Collateral, name: string): Uint8Array {
  const bytes = collateral.get(name)
  if (bytes !== undefined) return bytes
  const detail = `there is no ${shownName(name)}`
  throw new AttestationError('ATTESTATION_COLLATERAL_MISSING', detail, { field: 'collateral' })
}
