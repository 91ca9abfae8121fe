// SPDX-License-Identifier: Apache-2.0
export type { TableCertificate } from './certificate-table.ts'
export type { SevSnpClaims } from './claims.ts'
export { type EndorsementKeyInfo, readEndorsementKey } from './endorsement-key.ts'
export { parseSevSnpEvidence, type SevSnpEvidence } from './evidence.ts'
export {
  type FirmwareVersion,
  type GuestPolicy,
  parseSevSnpReport,
  type SevSnpReport,
  sevSnpReportSizeBytes,
} from './layout.ts'
export {
  amdRootKeys,
  type CpuId,
  type EndorsementKeyKind,
  type SevSnpProduct,
  sevSnpProducts,
} from './product.ts'
export { decodeTcb, type SevSnpTcb, tcbHex } from './tcb.ts'
export { type SevSnpTrustStore, sevSnpPlatform, sevSnpTrustStore } from './trust-store.ts'
export { sevSnpVerifier } from './verifier.ts'
export { type VerifySevSnpContext, verifySevSnp } from './verify.ts'
