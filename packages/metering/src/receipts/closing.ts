// SPDX-License-Identifier: Apache-2.0
import { type SigningKeyPair, signJws } from '@mlcapsule/crypto'
import { base64UrlOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { maxBlockUnits, maxUnits } from '../license/claims.ts'
import type { License } from '../license/license.ts'
import { parseWith, verifySignedBy } from '../schema/parse.ts'

export const closingTyp = 'mlc-block+jwt'

export const closingSchema = z
  .strictObject({
    ledger: base64UrlOf(32),
    license: base64UrlOf(32),
    block: z.int().min(1).max(maxUnits),
    /** Receipts in the block; 0 in a lost one. */
    count: z.int().min(0).max(maxBlockUnits),
    /** Units charged; in a lost block all that it held. */
    units: z.int().min(0).max(maxBlockUnits),
    lost: z.boolean(),
    from: base64UrlOf(32),
    to: base64UrlOf(32),
  })
  .refine((it) => !it.lost || (it.count === 0 && it.from === it.to), {
    path: ['lost'],
    message: 'of a block that has receipts',
  })

/** How a block ended: signed by the enclave, after the record that says so was committed. @see spec/tokens.md §5 */
export type BlockClosing = Readonly<z.infer<typeof closingSchema>>

/** @returns compact JWS of type `mlc-block+jwt`; the same bytes each time */
export async function signClosing(identity: SigningKeyPair, closing: BlockClosing): Promise<string> {
  return await signJws({ typ: closingTyp, ...identity, payload: closing })
}

/** @throws MeteringError `TOKEN_SIGNER_UNKNOWN`, `RECEIPT_MALFORMED`; CryptoError `JWS_*` */
export async function verifyClosing(token: string, license: License): Promise<BlockClosing> {
  const keys = [license.identityKey]
  const { payload } = await verifySignedBy(token, {
    typ: closingTyp,
    keys,
    unknownSigner: 'TOKEN_SIGNER_UNKNOWN',
  })
  return parseWith(closingSchema, payload, 'RECEIPT_MALFORMED', 'closing')
}
