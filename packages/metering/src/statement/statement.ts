// SPDX-License-Identifier: Apache-2.0
import { type SigningKeyPair, signJws, toBase64Url } from '@mlcapsule/crypto'
import { base64UrlOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { MeteringError } from '../errors.ts'
import { ledgerIdOf } from '../ledger/keys.ts'
import { maxDefenseCount, maxUnits, tierSchema } from '../license/claims.ts'
import type { License } from '../license/license.ts'
import { genesisHead } from '../receipts/receipt.ts'
import { parseWith, verifySignedBy } from '../schema/parse.ts'

export const statementTyp = 'mlc-statement+jwt'

const count = z.int().min(0).max(maxUnits)
const step = z.int().min(0).max(15)

export const statementSchema = z.strictObject({
  ledger: base64UrlOf(32),
  license: base64UrlOf(32),
  seq: z.int().min(1).max(maxUnits),
  from: base64UrlOf(32),
  to: count,
  head: base64UrlOf(32),
  units: count,
  lostBlocks: count,
  unclean: count,
  tier: tierSchema,
  levels: z.array(z.int().min(0).max(3)).max(maxDefenseCount),
  blocked: step,
  surcharge: step,
})

/** All that leaves the client about its usage. @see spec/tokens.md §6 */
export type StatementClaims = Readonly<z.infer<typeof statementSchema>>

/** 0 for none, else 1 + ⌊log2 n⌋, at most 15. */
export function blockedBucket(blockedCount: number): number {
  return blockedCount === 0 ? 0 : Math.min(15, 1 + Math.floor(Math.log2(blockedCount)))
}

/** Surcharges in fifteenths of what they could have been, rounded up. */
export function surchargeStep(surchargeUnits: number, mostUnits: number): number {
  return mostUnits === 0 ? 0 : Math.min(15, Math.ceil((15 * surchargeUnits) / mostUnits))
}

/** @returns compact JWS of type `mlc-statement+jwt`; the same bytes each time */
export async function signStatement(identity: SigningKeyPair, claims: StatementClaims): Promise<string> {
  const payload = parseWith(statementSchema, claims, 'TOKEN_STATEMENT_MALFORMED', 'statement')
  return await signJws({ typ: statementTyp, ...identity, payload })
}

export interface Statement {
  readonly token: string
  readonly claims: StatementClaims
}

/**
 * Checks signer, form and license of one statement. Members have one order, so that the bytes carry nothing more.
 * @throws MeteringError `TOKEN_SIGNER_UNKNOWN`, `TOKEN_STATEMENT_MALFORMED`, `TOKEN_STATEMENT_MISMATCH`; CryptoError `JWS_*`
 */
export async function readStatement(token: string, license: License): Promise<Statement> {
  const options = {
    typ: statementTyp,
    keys: [license.identityKey],
    unknownSigner: 'TOKEN_SIGNER_UNKNOWN',
  } as const
  const { payload } = await verifySignedBy(token, options)
  const claims = parseWith(statementSchema, payload, 'TOKEN_STATEMENT_MALFORMED', 'statement')
  if (JSON.stringify(claims) !== JSON.stringify(payload)) {
    throw new MeteringError(
      'TOKEN_STATEMENT_MALFORMED',
      'the members of the statement are in another order',
      {
        field: 'statement',
      },
    )
  }
  const fits: Partial<StatementClaims> = {
    ledger: license.claims.ledger,
    license: toBase64Url(license.hash),
    tier: license.claims.tier,
  }
  for (const [name, expected] of Object.entries(fits)) {
    if (claims[name as keyof StatementClaims] === expected) continue
    const field = `statement.${name}`
    throw new MeteringError('TOKEN_STATEMENT_MISMATCH', `${field} is not the license's`, { field })
  }
  if (claims.levels.length !== license.claims.defenses.length) {
    throw new MeteringError('TOKEN_STATEMENT_MISMATCH', 'the statement has not one level per defense', {
      field: 'statement.levels',
    })
  }
  return { token, claims }
}

/** What a provider keeps of the statements of one license. */
export interface StatementHistory {
  readonly last: Statement
  /** Units of all statements so far. */
  readonly units: number
}

export type StatementVerdict =
  /** The last statement once more. */
  | { readonly status: 'repeated'; readonly history: StatementHistory }
  | { readonly status: 'accepted'; readonly history: StatementHistory }

/**
 * The provider's check: that a statement continues the one before it.
 * @param previous null before the first
 * @throws MeteringError `TOKEN_*`; `TOKEN_STATEMENT_DISCONTINUOUS`; `LEDGER_FORKED` for another statement of a number
 * that is known already
 */
export async function verifyStatement(
  token: string,
  license: License,
  previous: StatementHistory | null,
): Promise<StatementVerdict> {
  const statement = await readStatement(token, license)
  const { claims } = statement
  if (previous !== null && claims.seq === previous.last.claims.seq) {
    if (token === previous.last.token) return { status: 'repeated', history: previous }
    const detail = `there is another statement of number ${claims.seq}`
    throw new MeteringError('LEDGER_FORKED', detail, { field: 'statement.seq' })
  }
  const units = (previous?.units ?? 0) + claims.units
  const before = previous?.last.claims ?? initialClaims(license)
  const checks: readonly (readonly [field: string, fits: boolean])[] = [
    ['seq', claims.seq === before.seq + 1],
    ['from', claims.from === before.head],
    ['to', claims.to >= before.to + claims.lostBlocks],
    ['unclean', claims.unclean === before.unclean + claims.lostBlocks],
    ['units', units <= license.claims.grant.units],
  ]
  for (const [name, fits] of checks) {
    if (fits) continue
    const field = `statement.${name}`
    throw new MeteringError(
      'TOKEN_STATEMENT_DISCONTINUOUS',
      `${field} does not continue the statement before`,
      {
        field,
      },
    )
  }
  return { status: 'accepted', history: { last: statement, units } }
}

function initialClaims(license: License): Pick<StatementClaims, 'seq' | 'head' | 'to' | 'unclean'> {
  const head = toBase64Url(genesisHead(ledgerIdOf(license.identityKey), license.hash))
  return { seq: 0, head, to: 0, unclean: 0 }
}
