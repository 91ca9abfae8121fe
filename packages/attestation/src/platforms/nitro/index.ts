// SPDX-License-Identifier: Apache-2.0
export { type NitroDocument, parseNitroDocument } from './layout.ts'
export { awsNitroRoots, type NitroTrustStore, nitroPlatform, nitroTrustStore } from './trust-store.ts'
export { nitroVerifier } from './verifier.ts'
export { type NitroClaims, type VerifyNitroContext, verifyNitro } from './verify.ts'
