// SPDX-License-Identifier: Apache-2.0
import type { Anchor } from '@mlcapsule/contracts'
import type { AeadProvider, Secret, SigningKeyPair } from '@mlcapsule/crypto'
import type { License } from '../license/license.ts'
import type { Receipt } from '../receipts/receipt.ts'
import type { RecordStore } from './store.ts'

export interface LedgerDeps {
  readonly license: License
  /** The enclave's identity: the license's `cnf`. */
  readonly identity: SigningKeyPair
  /** From `deriveLedgerKey`. The ledger owns it, and wipes it when it stops or closes. */
  readonly key: Secret<'prk'>
  readonly anchor: Anchor
  readonly store: RecordStore
  readonly random?: (sizeBytes: number) => Uint8Array
  readonly aead?: AeadProvider
}

/** One query that is paid for and not yet answered. */
export interface Reservation {
  readonly itemCount: number
  /** The most that the query can cost. */
  readonly units: number
  /** Whether the answer has to wait for `commit` after `settle`. */
  readonly strict: boolean
}

export interface Settlement {
  readonly receipt: Receipt
  /** Deterministic CBOR: what the client keeps. */
  readonly receiptBytes: Uint8Array
  /** If set, `commit` has to resolve before the answer may leave. */
  readonly mustCommit: boolean
}

export interface LedgerUsage {
  /** Units that can still be spent. */
  readonly unitsLeft: number
  /** Units spent, lost blocks included. */
  readonly unitsSpent: number
  readonly queryCount: number
  readonly uncleanCount: number
  /** Number of the last block that was opened. */
  readonly block: number
  /** Units of strict mode that are still to be served. */
  readonly strictUnits: number
  /** Head of the receipts so far, 32 bytes. */
  readonly head: Uint8Array
}
