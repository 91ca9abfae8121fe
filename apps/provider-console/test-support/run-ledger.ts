// SPDX-License-Identifier: Apache-2.0
import { randomBytes, Secret } from '@mlcapsule/crypto'
import {
  deriveLedgerKey,
  encodeReceiptLine,
  Ledger,
  ledgerIdOf,
  memoryRecordStore,
  verifyLicense,
} from '@mlcapsule/metering'
import type { FakeEnclave } from './fake-enclave.ts'

export interface LedgerRun {
  /** The client's file of receipts. */
  readonly receipts: string
  readonly statement: string
}

/** Makes so many queries on a real ledger under a license, and closes it. */
export async function runLedger(
  enclave: FakeEnclave,
  opened: Awaited<ReturnType<FakeEnclave['open']>>,
  authorityKey: Uint8Array,
  queryCount: number,
): Promise<LedgerRun> {
  const { identity, anchor } = enclave
  const platformKey = Secret.fromBytes('platform-key', randomBytes(32))
  const ledgerId = ledgerIdOf(identity.publicKey)
  const key = deriveLedgerKey({ ledgerId, platformKey, stateKey: opened.keys.stateKey })
  const license = await verifyLicense(opened.license, [authorityKey])
  const ledger = await Ledger.create(
    { license, identity, key, anchor, store: memoryRecordStore() },
    await anchor.read(),
  )
  let receipts = ''
  const takeClosings = async () => {
    for (const closing of await ledger.takeClosings()) receipts += encodeReceiptLine({ closing })
  }
  for (let i = 0; i < queryCount; i++) {
    if (ledger.needsAdvance(1)) {
      await ledger.advance(1)
      await takeClosings()
    }
    const { receiptBytes, mustCommit } = ledger.settle(ledger.reserve(1), { verdict: 'pass' })
    if (mustCommit) await ledger.commit()
    receipts += encodeReceiptLine({ receipt: receiptBytes })
  }
  await ledger.close()
  await takeClosings()
  return { receipts, statement: (await ledger.lastStatement()) ?? '' }
}
