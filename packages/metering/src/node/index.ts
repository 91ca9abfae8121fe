// SPDX-License-Identifier: Apache-2.0
export { fileAnchor } from './file-anchor.ts'
export { fileRecordStore } from './file-record-store.ts'
