// SPDX-License-Identifier: Apache-2.0
import { copyBytes } from '@mlcapsule/contracts'

/** No record is longer. */
export const recordMaxSizeBytes = 2_097_152

/** Where the host keeps the one sealed record of a ledger. Untrusted: it may return anything. */
export interface RecordStore {
  /** The record, or null if there is none. */
  read(): Promise<Uint8Array | null>
  /** Replaces the record as a whole. Resolves only when it is durable. */
  write(record: Uint8Array): Promise<void>
}

/** A store that is gone with the process. */
export function memoryRecordStore(initial: Uint8Array | null = null): RecordStore {
  let current = initial
  return {
    read: () => Promise.resolve(current === null ? null : copyBytes(current)),
    write(record) {
      current = copyBytes(record)
      return Promise.resolve()
    },
  }
}
