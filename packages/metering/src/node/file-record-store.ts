// SPDX-License-Identifier: Apache-2.0
import { type RecordStore, recordMaxSizeBytes } from '../ledger/store.ts'
import { readWhole, writeWhole } from './whole-file.ts'

/** Keeps the record in one file, replaced by rename and synced. Its folder has to exist. */
export function fileRecordStore(path: string): RecordStore {
  return {
    read: () => readWhole(path, recordMaxSizeBytes),
    write: (record) => writeWhole(path, record),
  }
}
