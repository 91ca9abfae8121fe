// SPDX-License-Identifier: Apache-2.0

import type { DoorCalls } from '@mlcapsule/enclave-bridge/enclave'
import type { EventCode, RecordSlot } from '@mlcapsule/enclave-bridge/protocol'
import type { RecordStore } from '@mlcapsule/metering'

/** What the host does for the enclave. Untrusted: it may lie, replay, refuse or never answer. */
export interface Host {
  /** Of a file that may be the capsule, or anything else. */
  readonly capsuleFd?: number
  /** Sealed pages, as many as asked for; their sizes and contents are for the caller to check. */
  readPages(blob: 'program' | 'weights', first: number, count: number): Promise<readonly Uint8Array[]>
  readRecord(slot: RecordSlot): Promise<Uint8Array | null>
  /** `null` removes the record. */
  writeRecord(slot: RecordSlot, record: Uint8Array | null): Promise<void>
  /** Resolves when the client has kept them. */
  keepLog(entries: readonly (Uint8Array | string)[]): Promise<void>
  /** A code and up to four integers: never text, never anything that an input or the model shapes. */
  emit(code: EventCode, numbers?: readonly number[]): void
}

/** The host behind the door. */
export function doorHost(door: DoorCalls, capsuleFd?: number): Host {
  return {
    ...(capsuleFd === undefined ? {} : { capsuleFd }),
    readPages: async (blob, first, count) => (await door.call('readPages', { blob, first, count })).payloads,
    readRecord: async (slot) => (await door.call('readRecord', { slot })).payloads[0] ?? null,
    writeRecord: async (slot, record) => {
      await door.call('writeRecord', { slot }, record === null ? [] : [record])
    },
    keepLog: async (log) => {
      await door.call('keepLog', { log: [...log] })
    },
    emit: (code, numbers) => door.emit(code, numbers),
  }
}

/** The ledger's record as the ledger wants it. */
export function ledgerStore(host: Host): RecordStore {
  return {
    read: () => host.readRecord('ledger'),
    write: (record) => host.writeRecord('ledger', record),
  }
}
