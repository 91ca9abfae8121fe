// SPDX-License-Identifier: Apache-2.0
export { parseAzureVtpmEvidence } from './evidence.ts'
export { type AzureVtpmEvidence, azureVtpmPlatform, encodeAzureVtpmEvidence } from './evidence-encoding.ts'
export { type HclReport, parseHclReport } from './hcl-report.ts'
export { parseRuntimeClaims, type RuntimeClaims } from './runtime-claims.ts'
export {
  type AzureVtpmClaims,
  type AzureVtpmTrustStore,
  azureVtpmTrustStore,
  azureVtpmVerifier,
  verifyAzureVtpm,
} from './verifier.ts'
