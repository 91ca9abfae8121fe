// SPDX-License-Identifier: Apache-2.0
import type { HostServices } from './services.ts'

/** Records that are kept no longer than the map that holds them, by slot. */
export function memoryRecords(
  records: Map<string, Uint8Array> = new Map(),
): Pick<HostServices, 'readRecord' | 'writeRecord'> {
  return {
    readRecord: async (slot) => records.get(slot) ?? null,
    async writeRecord(slot, record) {
      if (record === null) records.delete(slot)
      else records.set(slot, record)
    },
  }
}
