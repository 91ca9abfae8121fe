// SPDX-License-Identifier: Apache-2.0
export { type CollateralCache, collateralCache } from './collateral-cache.ts'
export { openTransparencyLog, type TransparencyLog } from './transparency-log.ts'
