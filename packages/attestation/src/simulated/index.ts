// SPDX-License-Identifier: Apache-2.0
export { createSimulatedRoot, type SimulatedAttesterOptions, simulatedAttester } from './attester.ts'
export { parseQuote, type SimulatedBody, type SimulatedQuote, simulatedPlatform } from './layout.ts'
export { type SimulatedTrustStore, simulatedTrustStore, simulatedVerifier } from './verifier.ts'
