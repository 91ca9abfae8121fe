// SPDX-License-Identifier: Apache-2.0
export { bundleMaxSizeBytes, type CollateralItems, decodeBundle, encodeBundle } from './bundle.ts'
export { type AmdFetcherOptions, amdFetcher, amdKdsUrl } from './fetch/amd.ts'
export { type CollateralFetcher, fetchCollateral, vendorFetcher } from './fetch/fetcher.ts'
export type { HttpOptions } from './fetch/http.ts'
export { type IntelFetcherOptions, intelFetcher, intelPcsUrl, intelRootCrlUrl } from './fetch/intel.ts'
export { collateralMaxSizeBytes, collateralNameSchema } from './names.ts'
