// SPDX-License-Identifier: Apache-2.0
import { MeteringError } from '../errors.ts'
import type { LicenseClaims } from '../license/claims.ts'
import type { LedgerUsage } from './types.ts'

/** The most that a query of so many items can cost. @throws MeteringError `LEDGER_RESERVATION_INVALID` */
export function priceOf(claims: LicenseClaims, itemCount: number): number {
  if (!Number.isSafeInteger(itemCount) || itemCount < 1) {
    const detail = 'itemCount is not a positive integer'
    throw new MeteringError('LEDGER_RESERVATION_INVALID', detail, { field: 'itemCount' })
  }
  return itemCount * (claims.tariff.unit + claims.tariff.surchargeMax)
}

/** @throws MeteringError `LICENSE_QUOTA_EXHAUSTED`, `LEDGER_QUERY_TOO_LARGE`, `LICENSE_LEASE_EXHAUSTED` */
export function assertAffordable(claims: LicenseClaims, usage: LedgerUsage, price: number): void {
  const { blockMax, lease } = claims
  const { unitsLeft, queryCount } = usage
  if (price > unitsLeft) {
    const detail = `the query may cost ${price} units, the license has ${unitsLeft} left`
    throw new MeteringError('LICENSE_QUOTA_EXHAUSTED', detail, { field: 'license.grant' })
  }
  if (price > blockMax) {
    const detail = `the query may cost ${price} units, a block holds at most ${blockMax}`
    throw new MeteringError('LEDGER_QUERY_TOO_LARGE', detail, { field: 'itemCount' })
  }
  if (queryCount >= lease.queries) {
    const detail = `${lease.queries} queries may be made without the provider, ${queryCount} were made`
    throw new MeteringError('LICENSE_LEASE_EXHAUSTED', detail, { field: 'license.lease' })
  }
}
