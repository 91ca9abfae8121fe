// SPDX-License-Identifier: Apache-2.0
import { equalBytes, toBase64Url } from '@mlcapsule/crypto'
import { MeteringError } from '../errors.ts'
import { ledgerIdOf } from '../ledger/keys.ts'
import type { License } from '../license/license.ts'
import { type BlockClosing, verifyClosing } from './closing.ts'
import type { ReceiptLogEntry } from './log.ts'
import { decodeReceipt, genesisHead, nextHead, type Receipt } from './receipt.ts'

/** A place in the chain: after the last receipt of a block. */
export interface ChainPosition {
  readonly block: number
  /** 32 bytes. */
  readonly head: Uint8Array
}

export interface VerifyChainOptions {
  readonly license: License
  /** Where the entries start; the beginning of the ledger when absent. */
  readonly from?: ChainPosition
  /** Where closed blocks have to end, from a statement's `to` and `head`; anywhere when absent. */
  readonly to?: ChainPosition
}

export interface VerifiedChain extends ChainPosition {
  /** Receipts in closed blocks. */
  readonly queryCount: number
  /** Units charged in closed blocks, those of lost ones included. */
  readonly units: number
  readonly blockedCount: number
  readonly lostBlockCount: number
  readonly lostUnits: number
  /** Receipts of lost blocks: their queries are paid with the block. */
  readonly lostReceiptCount: number
  /** Receipts of a block that has no closing yet: linked, but not signed. */
  readonly openReceiptCount: number
}

interface Walk {
  block: number
  head: Uint8Array
  readonly pending: { readonly receipt: Receipt; readonly bytes: Uint8Array }[]
  readonly seen: Map<number, string>
  readonly sums: { -readonly [K in Exclude<keyof VerifiedChain, keyof ChainPosition>]: number }
}

function broken(field: string, detail: string): never {
  throw new MeteringError('RECEIPT_CHAIN_BROKEN', `${field}: ${detail}`, { field })
}

/**
 * Checks a client's receipts against the closings that the enclave signed. Client and provider run the same check.
 * @throws MeteringError `RECEIPT_MALFORMED`, `RECEIPT_LICENSE_MISMATCH`, `RECEIPT_CHAIN_BROKEN`,
 * `TOKEN_SIGNER_UNKNOWN`; CryptoError `JWS_*`
 */
export async function verifyReceiptChain(
  entries: Iterable<ReceiptLogEntry>,
  options: VerifyChainOptions,
): Promise<VerifiedChain> {
  const { license, from, to } = options
  const walk: Walk = {
    block: from?.block ?? 0,
    head: from?.head ?? genesisHead(ledgerIdOf(license.identityKey), license.hash),
    pending: [],
    seen: new Map(),
    sums: {
      queryCount: 0,
      units: 0,
      blockedCount: 0,
      lostBlockCount: 0,
      lostUnits: 0,
      lostReceiptCount: 0,
      openReceiptCount: 0,
    },
  }
  let index = 0
  for (const entry of entries) {
    const field = `entry ${++index}`
    if ('receipt' in entry) addReceipt(walk, entry.receipt, license, field)
    else await addClosing(walk, entry.closing, license, field)
  }
  walk.sums.openReceiptCount = walk.pending.length
  if (to !== undefined && (walk.block !== to.block || !equalBytes(walk.head, to.head))) {
    broken('end', `expected the head of block ${to.block}, the receipts end with block ${walk.block}`)
  }
  return { block: walk.block, head: walk.head, ...walk.sums }
}

function addReceipt(walk: Walk, bytes: Uint8Array, license: License, field: string): void {
  const receipt = decodeReceipt(bytes)
  if (!equalBytes(receipt.license, license.hash) || receipt.policy !== license.claims.answerPolicy) {
    throw new MeteringError('RECEIPT_LICENSE_MISMATCH', `${field} is under another license`, { field })
  }
  if (receipt.block !== walk.block + 1 || receipt.index !== walk.pending.length) {
    const expected = `receipt ${walk.pending.length} of block ${walk.block + 1}`
    broken(field, `expected ${expected}, got ${receipt.index} of ${receipt.block}`)
  }
  walk.pending.push({ receipt, bytes })
}

async function addClosing(walk: Walk, token: string, license: License, field: string): Promise<void> {
  const closing = await verifyClosing(token, license)
  if (closing.ledger !== license.claims.ledger || closing.license !== toBase64Url(license.hash)) {
    throw new MeteringError('RECEIPT_LICENSE_MISMATCH', `${field} is of another ledger or license`, { field })
  }
  // A restart gives out its last closings again, since it cannot know whether they arrived.
  if (closing.block <= walk.block) {
    const known = walk.seen.get(closing.block)
    if (known !== undefined && known !== token)
      broken(field, `block ${closing.block} is closed in another way`)
    return
  }
  if (closing.block !== walk.block + 1) {
    broken(field, `expected the closing of block ${walk.block + 1}, got that of ${closing.block}`)
  }
  if (closing.from !== toBase64Url(walk.head))
    broken(field, 'the block does not start where the last one ended')
  if (closing.lost) addLost(walk, closing)
  else addClosed(walk, closing, field)
  walk.block = closing.block
  walk.seen.set(closing.block, token)
  walk.pending.length = 0
}

function addLost(walk: Walk, closing: BlockClosing): void {
  walk.sums.lostBlockCount++
  walk.sums.lostUnits += closing.units
  walk.sums.units += closing.units
  walk.sums.lostReceiptCount += walk.pending.length
}

function addClosed(walk: Walk, closing: BlockClosing, field: string): void {
  let head = walk.head
  let units = 0
  for (const { receipt, bytes } of walk.pending) {
    head = nextHead(head, bytes)
    units += receipt.units
    if (receipt.verdict === 'block') walk.sums.blockedCount++
  }
  if (walk.pending.length !== closing.count) {
    broken(field, `block ${closing.block} has ${closing.count} receipts, here are ${walk.pending.length}`)
  }
  if (closing.to !== toBase64Url(head)) broken(field, `the receipts of block ${closing.block} were changed`)
  if (closing.units !== units)
    broken(field, `block ${closing.block} cost ${closing.units}, its receipts ${units}`)
  walk.head = head
  walk.sums.queryCount += closing.count
  walk.sums.units += units
}
