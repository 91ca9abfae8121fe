// SPDX-License-Identifier: Apache-2.0
import { authorityKeys } from '@mlcapsule/attestation'
import { fromBase64Url } from '@mlcapsule/crypto'
import {
  type License,
  type ReceiptLogEntry,
  readStatement,
  type StatementClaims,
  type VerifiedChain,
  verifyLicense,
  verifyReceiptChain,
} from '@mlcapsule/metering'
import { ClientError } from '../errors.ts'
import type { LicenseRecords } from '../node/capsule-records.ts'
import { unverifiedPayload } from './token-payload.ts'

/** What the papers of one license prove. */
export interface VerifiedRecords {
  readonly license: License
  readonly receiptsPath: string
  readonly chain: VerifiedChain
  /** Statements that were checked against the receipts, in order. */
  readonly statements: readonly StatementClaims[]
}

/**
 * Checks the license's signature, the chain of receipts against the closings that the enclave signed, and that each
 * statement tells what the receipts do. Needs neither the enclave nor the provider.
 * @param authority thumbprints in the capsule's signed header
 * @throws ClientError `CLIENT_FILE_INVALID`; MeteringError `LICENSE_*`, `RECEIPT_*`, `TOKEN_*`; CryptoError `JWS_*`
 */
export async function verifyRecords(
  records: LicenseRecords,
  authority: readonly string[],
): Promise<VerifiedRecords> {
  if (records.license === undefined) {
    throw new ClientError('CLIENT_FILE_INVALID', `${records.receiptsPath}: the license beside it is gone`, {
      field: 'license',
    })
  }
  const license = await verifyLicense(records.license, authorityKeys(records.license, authority))
  const chain = await verifyReceiptChain(records.receipts, { license })
  const statements: StatementClaims[] = []
  let stated = 0
  for (const { token } of records.statements) {
    const { claims } = await readStatement(token, license)
    stated += claims.units
    await assertAgrees(records.receipts, license, claims, stated)
    statements.push(claims)
  }
  return { license, receiptsPath: records.receiptsPath, chain, statements }
}

/** @param units of this statement and of those before it */
async function assertAgrees(
  entries: readonly ReceiptLogEntry[],
  license: License,
  claims: StatementClaims,
  units: number,
): Promise<void> {
  const end = entries.findLastIndex(
    (it) => 'closing' in it && unverifiedPayload(it.closing).block === claims.to,
  )
  const to = { block: claims.to, head: fromBase64Url(claims.head) }
  const chain = await verifyReceiptChain(entries.slice(0, end + 1), { license, to })
  if (chain.units === units) return
  const detail = `statement ${claims.seq} tells of ${units} units in all, the receipts of ${chain.units}`
  throw new ClientError('CLIENT_STATEMENT_DISAGREES', detail, { field: 'statement.units' })
}
