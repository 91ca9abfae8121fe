// SPDX-License-Identifier: Apache-2.0
import type { RecordSlot } from '../protocol/words.ts'

/** What the host does for the enclave. None of it is trusted inside. */
export interface HostServices {
  /**
   * Pages of the capsule as they are in the file: ciphertext followed by the tag.
   * @param first index of the first page within the blob
   */
  readPages(blob: 'program' | 'weights', first: number, count: number): Promise<readonly Uint8Array[]>
  /** @returns the record, or null if there is none */
  readRecord(slot: RecordSlot): Promise<Uint8Array | null>
  /** Resolves when the record is durable. `null` removes it. */
  writeRecord(slot: RecordSlot, record: Uint8Array | null): Promise<void>
}

/** The anchor that the simulated platform keeps on the host. 32 bytes. */
export interface SimulatedAnchor {
  read(): Promise<Uint8Array>
  extend(digest: Uint8Array): Promise<void>
}
