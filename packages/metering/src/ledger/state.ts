// SPDX-License-Identifier: Apache-2.0
import { decodeCbor, encodeCbor, toBase64Url } from '@mlcapsule/crypto'
import { pluginName } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { MeteringError } from '../errors.ts'
import { maxDefenseCount, maxUnits } from '../license/claims.ts'
import type { License } from '../license/license.ts'
import { closingSchema } from '../receipts/closing.ts'
import { genesisHead } from '../receipts/receipt.ts'
import { statementSchema } from '../statement/statement.ts'
import { ledgerIdOf } from './keys.ts'
import { recordMaxSizeBytes } from './store.ts'

/** State of all defenses together. */
export const defenseStateMaxSizeBytes = 1_048_576
/** Closings that a record keeps, so that a crash between commit and delivery loses none. */
export const keptClosingCount = 8

const count = z.int().min(0).max(maxUnits)
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'is not bytes')
const hash = bytes.refine((value) => value.length === 32, 'has not 32 bytes')

const stateSchema = z.strictObject({
  version: z.literal(1),
  license: hash,
  /** Units in no block. */
  quota: count,
  /** Number of the last block that was opened, 0 before the first. */
  block: count,
  /** Units that the open block holds; 0 when none is open. */
  open: count,
  /** Queries of closed blocks. A lost block counts as many as it had units. */
  queries: count,
  spent: count,
  unclean: count,
  /** Units still to be served in strict mode. */
  strict: count,
  /** Head of the receipts of closed blocks. */
  head: hash,
  defenses: z.record(pluginName, bytes),
  closings: z.array(closingSchema).max(keptClosingCount),
  /** Sums since the last statement. */
  since: z.strictObject({
    units: count,
    queries: count,
    items: count,
    lostBlocks: count,
    blocked: count,
    surcharge: count,
    levels: z.array(z.int().min(0).max(3)).max(maxDefenseCount),
  }),
  statement: z.union([z.null(), statementSchema]),
})

/** What a record seals: money, the receipts' head and the memory of the defenses, as one. @see spec/ledger.md §4 */
export type LedgerState = Readonly<z.infer<typeof stateSchema>>

export function emptySince(defenseCount: number): LedgerState['since'] {
  const levels = Array<number>(defenseCount).fill(0)
  return { units: 0, queries: 0, items: 0, lostBlocks: 0, blocked: 0, surcharge: 0, levels }
}

/** The state of a ledger that has served nothing. */
export function initialState(license: License): LedgerState {
  return {
    version: 1,
    license: license.hash,
    quota: license.claims.grant.units,
    block: 0,
    open: 0,
    queries: 0,
    spent: 0,
    unclean: 0,
    strict: 0,
    head: genesisHead(ledgerIdOf(license.identityKey), license.hash),
    defenses: {},
    closings: [],
    since: emptySince(license.claims.defenses.length),
    statement: null,
  }
}

export function encodeState(state: LedgerState): Uint8Array {
  return encodeCbor(state)
}

/** @throws MeteringError `LEDGER_RECORD_INVALID`, `LICENSE_BINDING_MISMATCH` for the state of another license */
export function decodeState(plaintext: Uint8Array, license: License): LedgerState {
  let state: LedgerState
  try {
    state = stateSchema.parse(decodeCbor(plaintext, { maxSizeBytes: recordMaxSizeBytes }))
  } catch (cause) {
    const detail = 'the record does not hold the state of a ledger'
    throw new MeteringError('LEDGER_RECORD_INVALID', detail, { field: 'record', cause })
  }
  if (toBase64Url(state.license) !== toBase64Url(license.hash)) {
    const detail = 'the record belongs to another license of this enclave'
    throw new MeteringError('LICENSE_BINDING_MISMATCH', detail, { field: 'license' })
  }
  return state
}
