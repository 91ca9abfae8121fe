// SPDX-License-Identifier: Apache-2.0
export { nodeAead } from './node-aead.ts'
