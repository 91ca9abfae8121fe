// SPDX-License-Identifier: Apache-2.0
import { equalBytes, randomBytes, type SigningKeyPair, toBase64Url } from '@mlcapsule/crypto'
import { MeteringError } from '../errors.ts'
import type { License } from '../license/license.ts'
import { signClosing } from '../receipts/closing.ts'
import { encodeReceipt, nextHead, type Receipt } from '../receipts/receipt.ts'
import { signStatement } from '../statement/statement.ts'
import { AnchoredRecord, NothingSealed } from './anchored-record.ts'
import { ledgerIdOf } from './keys.ts'
import { checkOutcome, type QueryOutcome } from './outcome.ts'
import { assertAffordable, priceOf } from './pricing.ts'
import { decodeState, encodeState, initialState, type LedgerState } from './state.ts'
import {
  addStatement,
  type BlockRun,
  closeBlock,
  emptyRun,
  forfeitBlock,
  hasNews,
  openBlock,
} from './transitions.ts'
import type { LedgerDeps, LedgerUsage, Reservation, Settlement } from './types.ts'

type Phase = 'ready' | 'moving' | 'stopped' | 'closed'

/**
 * The enclave's account. A query is `reserve` → … → `settle`, both synchronous; the record and the anchor are touched
 * only when a block of units is used up:
 *
 *     if (ledger.needsAdvance(items)) await ledger.advance(items)
 *     const reservation = ledger.reserve(items)
 *     …defenses, model, defenses…
 *     const settlement = ledger.settle(reservation, { verdict: 'pass' })
 *     if (settlement.mustCommit) await ledger.commit()
 *     …only now the answer leaves, with its receipt…
 *
 * One lane: a call while another is under way is refused.
 * @see spec/ledger.md
 */
export class Ledger {
  readonly #license: License
  readonly #identity: SigningKeyPair
  readonly #chain: AnchoredRecord
  readonly #random: (sizeBytes: number) => Uint8Array
  #state: LedgerState
  #run: BlockRun
  #phase: Phase = 'ready'
  #stoppedBy = ''
  #reservation: Reservation | null = null
  /** Units of the last strict query that awaits `commit`. */
  #uncommitted = 0
  #takenBlock = 0

  private constructor(deps: LedgerDeps, chain: AnchoredRecord, state: LedgerState) {
    this.#license = deps.license
    this.#identity = deps.identity
    this.#chain = chain
    this.#random = deps.random ?? randomBytes
    this.#state = state
    this.#run = emptyRun(state)
  }

  /**
   * Starts the ledger of a fresh license, once: it moves the anchor away from the value that it has to start at.
   * @param anchorValue 32 bytes, read when the license was asked for
   * @throws MeteringError `LICENSE_BINDING_MISMATCH`, `LEDGER_STORE_FAILED`, `LEDGER_ANCHOR_FAILED`; `LEDGER_FORKED` when
   * the anchor has moved since
   */
  static async create(deps: LedgerDeps, anchorValue: Uint8Array): Promise<Ledger> {
    return await owningKey(deps, async () => {
      const chain = AnchoredRecord.create(chainDeps(deps), anchorValue)
      const ledger = new Ledger(deps, chain, initialState(deps.license))
      await ledger.#move(ledger.#state)
      return ledger
    })
  }

  /**
   * START: goes on where the last process ended. A block that was open is forfeited.
   * @throws MeteringError `LICENSE_BINDING_MISMATCH`, `LEDGER_RECORD_MISSING`, `LEDGER_RECORD_INVALID`,
   * `LEDGER_ROLLED_BACK`, `LEDGER_FORKED`, `LEDGER_STORE_FAILED`, `LEDGER_ANCHOR_FAILED`
   */
  static async open(deps: LedgerDeps): Promise<Ledger> {
    return await owningKey(deps, async () => {
      const { chain, plaintext, committed, finish } = await AnchoredRecord.start(chainDeps(deps))
      const state = decodeState(plaintext, deps.license)
      const ledger = new Ledger(deps, chain, state)
      // Uncommitted: no process has served its block, so this one may.
      if (!committed) await finish()
      else if (state.open > 0) await ledger.#move(forfeitBlock(state, deps.license))
      return ledger
    })
  }

  get usage(): LedgerUsage {
    const { quota, open, spent, queries, unclean, block, strict } = this.#state
    const run = this.#run
    return {
      unitsLeft: quota + open - run.used,
      unitsSpent: spent + run.used,
      queryCount: queries + run.queries,
      uncleanCount: unclean,
      block,
      strictUnits: Math.max(0, strict - run.used),
      head: run.head.slice(),
    }
  }

  /** The sealed memory of a defense, or undefined before it first wrote any. */
  defenseState(name: string): Uint8Array | undefined {
    return Object.hasOwn(this.#run.defenses, name) ? this.#run.defenses[name]?.slice() : undefined
  }

  /** Whether `advance` has to come before `reserve`. False where the license has too few units for either. */
  needsAdvance(itemCount: number): boolean {
    const price = priceOf(this.#license.claims, itemCount)
    return price > this.#state.open - this.#run.used && price <= this.usage.unitsLeft
  }

  /**
   * CLOSE: ends the open block and opens one that holds the query. Moves the anchor.
   * @throws MeteringError `LICENSE_QUOTA_EXHAUSTED`, `LICENSE_LEASE_EXHAUSTED`, `LEDGER_QUERY_TOO_LARGE`,
   * `LEDGER_BUSY`, and what stops a ledger: `LEDGER_FORKED`, `LEDGER_STORE_FAILED`, `LEDGER_ANCHOR_FAILED`
   */
  async advance(itemCount: number): Promise<void> {
    this.#assertReady()
    const price = this.#affordable(itemCount)
    const closed = closeBlock(this.#state, this.#run, this.#license)
    await this.#move(openBlock(closed, this.#blockUnits(closed, price)))
  }

  /**
   * Takes the price of a query out of the open block, before anything runs.
   * @param itemCount items of the batch, counted inside from the shapes
   * @throws MeteringError `LICENSE_QUOTA_EXHAUSTED`, `LICENSE_LEASE_EXHAUSTED`, `LEDGER_QUERY_TOO_LARGE`,
   * `LEDGER_ADVANCE_REQUIRED`, `LEDGER_BUSY`, `LEDGER_STOPPED`, `LEDGER_CLOSED`
   */
  reserve(itemCount: number): Reservation {
    this.#assertReady()
    const units = this.#affordable(itemCount)
    if (units > this.#state.open - this.#run.used) {
      throw new MeteringError('LEDGER_ADVANCE_REQUIRED', `the open block holds less than ${units} units`)
    }
    this.#reservation = Object.freeze({ itemCount, units, strict: this.#state.strict > 0 })
    return this.#reservation
  }

  /**
   * Ends a query: charges it, and makes its receipt. The answer may leave only afterward.
   * @throws MeteringError `LEDGER_RESERVATION_INVALID`, `LEDGER_STATE_TOO_LARGE`: nothing is charged, the reservation
   * stays open
   */
  settle(reservation: Reservation, outcome: QueryOutcome): Settlement {
    this.#assertReserved(reservation)
    const run = this.#run
    const { itemCount, strict } = reservation
    const checked = checkOutcome(outcome, itemCount, this.#license.claims, run.defenses)
    const units = itemCount * this.#license.claims.tariff.unit + checked.surcharge
    const receipt: Receipt = {
      license: this.#license.hash,
      block: this.#state.block,
      index: run.queries,
      units,
      verdict: outcome.verdict,
      policy: this.#license.claims.answerPolicy,
      blind: this.#random(32),
    }
    const receiptBytes = encodeReceipt(receipt)
    this.#run = {
      used: run.used + units,
      queries: run.queries + 1,
      items: run.items + itemCount,
      blocked: run.blocked + (outcome.verdict === 'block' ? 1 : 0),
      surcharge: run.surcharge + checked.surcharge,
      head: nextHead(run.head, receiptBytes),
      levels: run.levels.map((level, i) => Math.max(level, checked.levels[i] ?? 0)),
      defenses: checked.defenses,
    }
    this.#reservation = null
    if (strict) this.#uncommitted = reservation.units
    return { receipt, receiptBytes, mustCommit: strict }
  }

  /** Gives a reservation back, for a query that failed by our own fault. Its answer must never leave. */
  cancel(reservation: Reservation): void {
    this.#assertReserved(reservation)
    this.#reservation = null
  }

  /**
   * Strict mode: commits the record that remembers the query just settled, and opens a block for one more like it where
   * a block has room for both.
   * @throws MeteringError as `advance`; the answer must then not leave
   */
  async commit(): Promise<void> {
    if (this.#uncommitted === 0) return
    this.#assertPhase()
    const price = this.#uncommitted
    const closed = closeBlock(this.#state, this.#run, this.#license)
    // A crash in here loses the held answer and the block that it opens: together no more than one block may hold.
    const opensNext = closed.quota >= price && 2 * price <= this.#license.claims.blockMax
    await this.#move(opensNext ? openBlock(closed, price) : closed)
    this.#uncommitted = 0
  }

  /** Whether so many queries were made that `statement` may be called without closing. */
  get statementDue(): boolean {
    const queries = this.#state.since.queries + this.#run.queries
    return queries >= this.#license.claims.statementEvery
  }

  /**
   * Ends the open block and makes the next statement.
   * @throws MeteringError `LEDGER_STATEMENT_NOT_DUE`, and as `advance`
   */
  async statement(): Promise<string> {
    this.#assertReady()
    if (!this.statementDue) {
      const every = this.#license.claims.statementEvery
      const detail = `a statement is due every ${every} queries, and when the ledger is closed`
      throw new MeteringError('LEDGER_STATEMENT_NOT_DUE', detail)
    }
    const closed = closeBlock(this.#state, this.#run, this.#license)
    await this.#move(addStatement(closed, this.#license))
    return (await this.lastStatement()) ?? ''
  }

  /** The last statement, the same bytes each time; null before the first. */
  async lastStatement(): Promise<string | null> {
    const claims = this.#state.statement
    return claims === null ? null : await signStatement(this.#identity, claims)
  }

  /** Closings of blocks that were not taken yet, oldest first. After a start, all that the record keeps. */
  async takeClosings(): Promise<string[]> {
    const due = this.#state.closings.filter((it) => it.block > this.#takenBlock)
    // So it is for all queries of a block but the first.
    if (due.length === 0) return []
    const tokens = await Promise.all(due.map((it) => signClosing(this.#identity, it)))
    this.#takenBlock = Math.max(this.#takenBlock, ...due.map((it) => it.block))
    return tokens
  }

  /**
   * Ends cleanly: gives back what the open block still holds, and makes a statement if there is anything to tell.
   * Afterward only `usage`, `takeClosings` and `lastStatement` are left.
   * @throws MeteringError `LEDGER_BUSY`, and what stops a ledger
   */
  async close(): Promise<void> {
    if (this.#phase === 'closed') return
    this.#assertPhase()
    if (this.#reservation !== null) throw busy()
    const closed = closeBlock(this.#state, this.#run, this.#license)
    if (hasNews(closed)) await this.#move(addStatement(closed, this.#license))
    this.#phase = 'closed'
    this.#chain.dispose()
  }

  #affordable(itemCount: number): number {
    const { claims } = this.#license
    const price = priceOf(claims, itemCount)
    assertAffordable(claims, this.usage, price)
    return price
  }

  #blockUnits(state: LedgerState, price: number): number {
    return state.strict > 0 ? price : Math.min(this.#license.claims.blockMax, state.quota)
  }

  async #move(next: LedgerState): Promise<void> {
    this.#phase = 'moving'
    try {
      await this.#chain.advance(encodeState(next))
      this.#state = next
      this.#run = emptyRun(next)
      this.#phase = 'ready'
    } catch (error) {
      if (error instanceof NothingSealed) {
        this.#phase = 'ready'
        throw error.error
      }
      this.#stop(error)
      throw error
    }
  }

  #stop(error: unknown): void {
    this.#phase = 'stopped'
    this.#stoppedBy = error instanceof MeteringError ? error.code : 'an internal error'
    this.#chain.dispose()
  }

  #assertPhase(): void {
    if (this.#phase === 'stopped') {
      throw new MeteringError('LEDGER_STOPPED', `the ledger was stopped by ${this.#stoppedBy}`)
    }
    if (this.#phase === 'closed') throw new MeteringError('LEDGER_CLOSED', 'the ledger has been closed')
    if (this.#phase === 'moving') throw busy()
  }

  #assertReady(): void {
    this.#assertPhase()
    if (this.#reservation !== null || this.#uncommitted > 0) throw busy()
  }

  #assertReserved(reservation: Reservation): void {
    if (this.#reservation === reservation) return
    throw new MeteringError('LEDGER_RESERVATION_INVALID', 'this is not the open reservation')
  }
}

function chainDeps(deps: LedgerDeps) {
  const { key, anchor, store, aead } = deps
  const ledgerId = ledgerIdOf(deps.identity.publicKey)
  return { key, ledgerId, anchor, store, aead, random: deps.random ?? randomBytes }
}

function busy(): MeteringError {
  return new MeteringError('LEDGER_BUSY', 'another query or a change of block is under way')
}

/** The key is the ledger's from the first moment: where no ledger comes of it, it is wiped. */
async function owningKey(deps: LedgerDeps, make: () => Promise<Ledger>): Promise<Ledger> {
  try {
    assertBinding(deps)
    return await make()
  } catch (error) {
    deps.key.wipe()
    throw error
  }
}

function assertBinding({ license, identity, anchor }: LedgerDeps): void {
  const fits = [
    ['cnf', equalBytes(license.identityKey, identity.publicKey)],
    ['anchor', license.claims.anchor === toBase64Url(anchor.descriptor)],
  ] as const
  for (const [name, ok] of fits) {
    if (ok) continue
    const field = `license.${name}`
    throw new MeteringError('LICENSE_BINDING_MISMATCH', `${field} does not fit this ledger`, { field })
  }
}
