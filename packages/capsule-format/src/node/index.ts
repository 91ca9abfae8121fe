// SPDX-License-Identifier: Apache-2.0
export { type FileCapsuleSinkOptions, fileCapsuleSink } from './file-sink.ts'
export { fileSource } from './file-source.ts'
