// SPDX-License-Identifier: Apache-2.0
export { type NitroAttesterOptions, nitroAttester, nsmAddonPath } from './attester.ts'
