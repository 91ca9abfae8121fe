// SPDX-License-Identifier: Apache-2.0
import { decodeCbor, encodeCbor, labeledHash, utf8Bytes } from '@mlcapsule/crypto'
import { MeteringError } from '../errors.ts'

/** What became of a query, in the order of the codes 0 to 3. */
export const verdicts = ['pass', 'perturb', 'degrade', 'block'] as const
export type Verdict = (typeof verdicts)[number]

const maxSizeBytes = 256

/** What a client keeps of each query. It holds nothing of the input or of the answer. */
export interface Receipt {
  /** Hash of the license, 32 bytes. */
  readonly license: Uint8Array
  /** Number of the block, from 1. */
  readonly block: number
  /** Place within the block, from 0. */
  readonly index: number
  /** Units charged. */
  readonly units: number
  readonly verdict: Verdict
  /** The license's `answerPolicy`. */
  readonly policy: string
  /** 32 random bytes: a head cannot be guessed from what is known of a query. */
  readonly blind: Uint8Array
}

/** Deterministic CBOR of a receipt: a map with the keys 1 to 7. @see spec/tokens.md §4 */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const map = new Map<number, unknown>([
    [1, receipt.license],
    [2, receipt.block],
    [3, receipt.index],
    [4, receipt.units],
    [5, verdicts.indexOf(receipt.verdict)],
    [6, receipt.policy],
    [7, receipt.blind],
  ])
  return encodeCbor(map)
}

function refuse(detail: string, cause?: unknown): never {
  throw new MeteringError('RECEIPT_MALFORMED', detail, { field: 'receipt', cause })
}

/** @throws MeteringError `RECEIPT_MALFORMED` */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  let map: unknown
  try {
    map = decodeCbor(bytes, { maxSizeBytes })
  } catch (cause) {
    refuse('a receipt is not deterministic CBOR', cause)
  }
  if (!(map instanceof Map) || map.size !== 7) refuse('a receipt is a map with the keys 1 to 7')
  const [license, block, index, units, verdict, policy, blind] = [1, 2, 3, 4, 5, 6, 7].map((key) =>
    map.get(key),
  )
  const isHash = (value: unknown): value is Uint8Array => value instanceof Uint8Array && value.length === 32
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  if (!isHash(license) || !isHash(blind)) refuse('license and blind have 32 bytes')
  if (!isCount(block) || !isCount(index) || !isCount(units) || block < 1)
    refuse('block, i and units are counts')
  const word = verdicts[verdict as number]
  if (!isCount(verdict) || word === undefined) refuse('verdict is 0 to 3')
  if (typeof policy !== 'string' || policy === '' || utf8Bytes(policy).length > 64)
    refuse('policy is a name of 1 to 64 bytes')
  return { license, block, index, units, verdict: word, policy, blind }
}

/** head_0 = H("receipt-genesis", ledgerId ‖ license hash). @returns 32 bytes */
export function genesisHead(ledgerId: Uint8Array, licenseHash: Uint8Array): Uint8Array {
  return labeledHash('receipt-genesis', ledgerId, licenseHash)
}

/** head_i = H("receipt", head_{i−1} ‖ receipt). @returns 32 bytes */
export function nextHead(head: Uint8Array, receiptBytes: Uint8Array): Uint8Array {
  return labeledHash('receipt', head, receiptBytes)
}
