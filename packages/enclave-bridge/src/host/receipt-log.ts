// SPDX-License-Identifier: Apache-2.0
import type { ReceiptLogEntry } from '@mlcapsule/metering'

/** Keeps receipts and closings, durably and in order. */
export type KeepLog = (entries: readonly ReceiptLogEntry[]) => Promise<void>

/** As they cross the door: receipts as bytes, closings as tokens. */
export function logEntries(log: readonly (Uint8Array | string)[]): readonly ReceiptLogEntry[] {
  return log.map((it) => (typeof it === 'string' ? { closing: it } : { receipt: it }))
}
