// SPDX-License-Identifier: Apache-2.0
import { toBase64Url } from '@mlcapsule/crypto'
import type { License } from '../license/license.ts'
import type { BlockClosing } from '../receipts/closing.ts'
import { genesisHead } from '../receipts/receipt.ts'
import { blockedBucket, type StatementClaims, surchargeStep } from '../statement/statement.ts'
import { ledgerIdOf } from './keys.ts'
import { emptySince, keptClosingCount, type LedgerState } from './state.ts'

/** What has happened in the open block. It lives in memory alone: a crash forfeits the block whole. */
export interface BlockRun {
  readonly used: number
  readonly queries: number
  readonly items: number
  readonly blocked: number
  readonly surcharge: number
  readonly head: Uint8Array
  readonly levels: readonly number[]
  readonly defenses: LedgerState['defenses']
}

export function emptyRun(state: LedgerState): BlockRun {
  const { head, defenses, since } = state
  return { used: 0, queries: 0, items: 0, blocked: 0, surcharge: 0, head, levels: since.levels, defenses }
}

function closing(
  state: LedgerState,
  license: License,
  rest: Pick<BlockClosing, 'count' | 'units' | 'lost'>,
  to: Uint8Array,
): BlockClosing[] {
  const { claims, hash } = license
  const made = {
    ledger: claims.ledger,
    license: toBase64Url(hash),
    block: state.block,
    ...rest,
    from: toBase64Url(state.head),
    to: toBase64Url(to),
  }
  return [...state.closings, made].slice(-keptClosingCount)
}

/** Ends the open block cleanly: what was used is spent, the rest goes back. */
export function closeBlock(state: LedgerState, run: BlockRun, license: License): LedgerState {
  if (state.open === 0) return state
  const { since } = state
  return {
    ...state,
    quota: state.quota + state.open - run.used,
    open: 0,
    queries: state.queries + run.queries,
    spent: state.spent + run.used,
    strict: Math.max(0, state.strict - run.used),
    head: run.head,
    defenses: run.defenses,
    closings: closing(state, license, { count: run.queries, units: run.used, lost: false }, run.head),
    since: {
      units: since.units + run.used,
      queries: since.queries + run.queries,
      items: since.items + run.items,
      lostBlocks: since.lostBlocks,
      blocked: since.blocked + run.blocked,
      surcharge: since.surcharge + run.surcharge,
      levels: [...run.levels],
    },
  }
}

/**
 * What becomes of a committed open block whose process is gone: all of it counts as spent, and for the next 4·blockMax
 * units no answer leaves before the record that remembers its query.
 */
export function forfeitBlock(state: LedgerState, license: License): LedgerState {
  if (state.open === 0) return state
  const { since } = state
  return {
    ...state,
    open: 0,
    queries: state.queries + state.open,
    spent: state.spent + state.open,
    unclean: state.unclean + 1,
    strict: 4 * license.claims.blockMax,
    closings: closing(state, license, { count: 0, units: state.open, lost: true }, state.head),
    since: {
      ...since,
      units: since.units + state.open,
      queries: since.queries + state.open,
      lostBlocks: since.lostBlocks + 1,
    },
  }
}

/** Moves units into a fresh block. */
export function openBlock(state: LedgerState, units: number): LedgerState {
  return { ...state, quota: state.quota - units, block: state.block + 1, open: units }
}

/** Whether a block was closed that no statement tells of. No block may be open. */
export function hasNews(state: LedgerState): boolean {
  return state.block > (state.statement?.to ?? 0)
}

/** Puts the next statement into the state. No block may be open. */
export function addStatement(state: LedgerState, license: License): LedgerState {
  const { claims, hash } = license
  const { since, statement } = state
  const made: StatementClaims = {
    ledger: claims.ledger,
    license: toBase64Url(hash),
    seq: (statement?.seq ?? 0) + 1,
    from: statement?.head ?? toBase64Url(genesisHead(ledgerIdOf(license.identityKey), hash)),
    to: state.block,
    head: toBase64Url(state.head),
    units: since.units,
    lostBlocks: since.lostBlocks,
    unclean: state.unclean,
    tier: claims.tier,
    levels: [...since.levels],
    blocked: blockedBucket(since.blocked),
    surcharge: surchargeStep(since.surcharge, since.items * claims.tariff.surchargeMax),
  }
  return { ...state, since: emptySince(claims.defenses.length), statement: made }
}
