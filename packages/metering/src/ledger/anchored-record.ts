// SPDX-License-Identifier: Apache-2.0
import type { Anchor } from '@mlcapsule/contracts'
import { type AeadProvider, CryptoError, equalBytes, type Secret } from '@mlcapsule/crypto'
import { MeteringError, type MeteringErrorCode } from '../errors.ts'
import {
  decodeStored,
  encodeStored,
  extendedAnchor,
  openRecord,
  type RecordContext,
  recordHash,
  sealRecord,
} from './record.ts'
import type { RecordStore } from './store.ts'

export interface AnchoredRecordDeps {
  readonly key: Secret<'prk'>
  readonly ledgerId: Uint8Array
  readonly anchor: Anchor
  readonly store: RecordStore
  readonly random: (sizeBytes: number) => Uint8Array
  readonly aead?: AeadProvider | undefined
}

/** Says that nothing was sealed yet, so that the open block lives on. */
export class NothingSealed {
  readonly error: MeteringError
  constructor(error: MeteringError) {
    this.error = error
  }
}

async function orFail<T>(code: MeteringErrorCode, what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    throw new MeteringError(code, what, { cause })
  }
}

/**
 * One sealed record, chained to an anchor: START and ADVANCE of spec/ledger.md §5. It knows nothing of what it seals.
 */
export class AnchoredRecord {
  readonly #deps: AnchoredRecordDeps
  /** The anchor's value as this process last saw it under its own record. */
  #value: Uint8Array

  private constructor(deps: AnchoredRecordDeps, value: Uint8Array) {
    this.#deps = deps
    this.#value = value
  }

  /**
   * Starts a chain at a value that the caller knows from before. Not at the anchor's present one: a process that was held
   * up meanwhile would start the chain a second time.
   */
  static create(deps: AnchoredRecordDeps, anchorValue: Uint8Array): AnchoredRecord {
    return new AnchoredRecord(deps, anchorValue.slice())
  }

  /**
   * START: loads the record and holds it against the anchor.
   * @returns `committed` false if the record was written, but the anchor not moved: `finish` moves it
   * @throws MeteringError `LEDGER_RECORD_MISSING`, `LEDGER_RECORD_INVALID`, `LEDGER_ROLLED_BACK`,
   * `LEDGER_STORE_FAILED`, `LEDGER_ANCHOR_FAILED`
   */
  static async start(deps: AnchoredRecordDeps) {
    const stored = await orFail('LEDGER_STORE_FAILED', 'the record could not be read', () =>
      deps.store.read(),
    )
    if (stored === null)
      throw new MeteringError('LEDGER_RECORD_MISSING', 'there is no record', { field: 'record' })
    const { previous, record } = decodeStored(stored)
    const plaintext = await open({ ...contextOf(deps), previous }, record)
    const value = await readAnchor(deps.anchor)
    const digest = recordHash(record)
    const committed = equalBytes(value, extendedAnchor(previous, digest))
    if (!committed && !equalBytes(value, previous)) {
      const detail = 'the anchor names another record than the one in the store'
      throw new MeteringError('LEDGER_ROLLED_BACK', detail, { field: 'record' })
    }
    const chain = new AnchoredRecord(deps, value)
    return { chain, plaintext, committed, finish: () => chain.#extend(digest) }
  }

  /**
   * ADVANCE: seals, writes, extends, and reads back. Any failure after the sealing is final for this process; an extend
   * is never tried twice.
   * @throws MeteringError `LEDGER_FORKED`, `LEDGER_STORE_FAILED`, `LEDGER_ANCHOR_FAILED`; `NothingSealed`
   */
  async advance(plaintext: Uint8Array): Promise<void> {
    const { anchor, store, random } = this.#deps
    // Read first, so that a process that was left behind does not overwrite the other's record.
    let value: Uint8Array
    try {
      value = await readAnchor(anchor)
    } catch (error) {
      throw error instanceof MeteringError ? new NothingSealed(error) : error
    }
    if (!equalBytes(value, this.#value)) throw forked()
    const record = await sealRecord({ ...contextOf(this.#deps), previous: value }, random(32), plaintext)
    await orFail('LEDGER_STORE_FAILED', 'the record could not be written', () =>
      store.write(encodeStored(value, record)),
    )
    await this.#extend(recordHash(record))
  }

  async #extend(digest: Uint8Array): Promise<void> {
    const { anchor } = this.#deps
    const expected = extendedAnchor(this.#value, digest)
    await orFail('LEDGER_ANCHOR_FAILED', 'the anchor could not be moved', () => anchor.extend(digest))
    if (!equalBytes(await readAnchor(anchor), expected)) throw forked()
    this.#value = expected
  }

  /** Wipes the key. */
  dispose(): void {
    this.#deps.key.wipe()
  }
}

function contextOf(deps: AnchoredRecordDeps): Omit<RecordContext, 'previous'> {
  return { key: deps.key, ledgerId: deps.ledgerId, ...(deps.aead === undefined ? {} : { aead: deps.aead }) }
}

async function open(context: RecordContext, record: Uint8Array): Promise<Uint8Array> {
  try {
    return await openRecord(context, record)
  } catch (cause) {
    if (!(cause instanceof CryptoError) || cause.code !== 'SEAL_OPEN_FAILED') throw cause
    const detail = 'the record does not open with the key of this ledger'
    throw new MeteringError('LEDGER_RECORD_INVALID', detail, { field: 'record', cause })
  }
}

async function readAnchor(anchor: Anchor): Promise<Uint8Array> {
  const value = await orFail('LEDGER_ANCHOR_FAILED', 'the anchor could not be read', () => anchor.read())
  if (!(value instanceof Uint8Array) || value.length !== 32) {
    throw new MeteringError('LEDGER_ANCHOR_FAILED', 'the anchor gave something else than 32 bytes')
  }
  return Uint8Array.from(value)
}

function forked(): MeteringError {
  return new MeteringError('LEDGER_FORKED', 'the anchor was moved by something else than this ledger', {
    field: 'anchor',
  })
}
