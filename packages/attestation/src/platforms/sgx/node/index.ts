// SPDX-License-Identifier: Apache-2.0
export { type GramineAttesterOptions, gramineAttester } from './attester.ts'
