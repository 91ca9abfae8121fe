// SPDX-License-Identifier: Apache-2.0
export type { DcapClaims, TcbEvaluation } from '../dcap/claims.ts'
export { type PckAuthority, type PckChain, readPckChain } from '../dcap/pck-chain.ts'
export type { PckExtension, PlatformConfiguration } from '../dcap/pck-extension.ts'
export { parseSgxQuote, type QuoteHeader, type SgxQuote } from '../dcap/quote.ts'
export type { SgxReportBody } from '../dcap/report-bodies.ts'
export type { DcapTcbStatus } from '../dcap/tcb-status.ts'
export { type IntelTrustStore, intelRootSpkiSha256 } from '../dcap/trust-store.ts'
export type { SgxClaims } from './claims.ts'
export { type SgxIdentity, sgxRules } from './rules.ts'
export {
  type SgxTrustStore,
  sgxTrustStore,
  sgxVerifier,
} from './verifier.ts'
