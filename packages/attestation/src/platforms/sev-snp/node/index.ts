// SPDX-License-Identifier: Apache-2.0
export { type SevSnpAttesterOptions, sevSnpAttester } from './attester.ts'
