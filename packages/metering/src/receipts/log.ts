// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url, jwsMaxSizeBytes, toBase64Url } from '@mlcapsule/crypto'
import { MeteringError } from '../errors.ts'

/** A line of a client's file of receipts. */
export type ReceiptLogEntry =
  | { readonly receipt: Uint8Array }
  /** Compact JWS of type `mlc-block+jwt`. */
  | { readonly closing: string }

/** One line, line feed included. Lines are appended in the order in which the enclave gave them out. */
export function encodeReceiptLine(entry: ReceiptLogEntry): string {
  const line = 'receipt' in entry ? { receipt: toBase64Url(entry.receipt) } : { closing: entry.closing }
  return `${JSON.stringify(line)}\n`
}

export interface ReceiptLog {
  readonly entries: readonly ReceiptLogEntry[]
  /** Whether the last line had no end: a crash while it was written. Its rest is left out. */
  readonly torn: boolean
}

/** Reads a file of receipts (JSON lines). @throws MeteringError `RECEIPT_LOG_MALFORMED` */
export function parseReceiptLog(text: string): ReceiptLog {
  const lines = text.split('\n')
  const rest = lines.pop() ?? ''
  return { entries: lines.map(parseLine), torn: rest !== '' }
}

function parseLine(line: string, index: number): ReceiptLogEntry {
  const refuse = (cause?: unknown) =>
    new MeteringError('RECEIPT_LOG_MALFORMED', `line ${index + 1} is neither a receipt nor a closing`, {
      field: `line ${index + 1}`,
      cause,
    })
  if (line.length > jwsMaxSizeBytes + 32) throw refuse()
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw refuse(cause)
  }
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) throw refuse()
  const { receipt, closing } = value as { receipt?: unknown; closing?: unknown }
  if (typeof closing === 'string') return { closing }
  if (typeof receipt !== 'string') throw refuse()
  try {
    return { receipt: fromBase64Url(receipt) }
  } catch (cause) {
    throw refuse(cause)
  }
}
