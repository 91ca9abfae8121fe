// SPDX-License-Identifier: Apache-2.0
export type { DcapClaims, TcbEvaluation } from '../dcap/claims.ts'
export { type PckAuthority, type PckChain, readPckChain } from '../dcap/pck-chain.ts'
export type { PckExtension, PlatformConfiguration } from '../dcap/pck-extension.ts'
export { parseTdxQuote, type QuoteHeader, type TdxQuote } from '../dcap/quote.ts'
export type { TdReportBody } from '../dcap/report-bodies.ts'
export type { DcapTcbStatus } from '../dcap/tcb-status.ts'
export { type IntelTrustStore, intelRootSpkiSha256 } from '../dcap/trust-store.ts'
export type { TdxClaims } from './claims.ts'
export { assertEventLog, type RuntimeRegister, replayEvents } from './event-log.ts'
export { type TdxMeasurement, tdxRules } from './rules.ts'
export {
  type TdxTrustStore,
  tdxTrustStore,
  tdxVerifier,
} from './verifier.ts'
