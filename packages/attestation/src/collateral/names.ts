// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'

/**
 * Name of one piece of collateral: at most six parts joined by slashes, such as `intel/root-crl`. The first part starts
 * with a letter, so names keep their order as members of an object; the others with a letter or a digit, so no name leads
 * out of a folder.
 */
export const collateralNameSchema = z
  .string()
  .max(256)
  .regex(/^[a-z][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*){0,5}$/)

/** No list and no chain of a vendor is larger; verifiers read no more either. */
export const collateralMaxSizeBytes = 1_048_576

/** A name without what would tell which machine it is about, for messages. */
export function shownName(name: string): string {
  return collateralNameSchema.safeParse(name).success ? name.replace(/[0-9a-f]{16,}/g, '…') : '?'
}
