// SPDX-License-Identifier: Apache-2.0
export { type TdxAttesterOptions, tdxAttester } from './attester.ts'
