// SPDX-License-Identifier: Apache-2.0

export { type FileModelSource, fileModelSource } from './file-source.ts'
