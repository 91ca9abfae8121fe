// SPDX-License-Identifier: Apache-2.0
export { volatileAnchor } from './anchor/volatile-anchor.ts'
export { MeteringError, type MeteringErrorCode, meteringErrorTable } from './errors.ts'
export { deriveLedgerKey, type LedgerKeyInput, ledgerIdOf } from './ledger/keys.ts'
export { Ledger } from './ledger/ledger.ts'
export type { QueryOutcome } from './ledger/outcome.ts'
export {
  decodeStored,
  encodeStored,
  extendedAnchor,
  openRecord,
  type RecordContext,
  recordHash,
  sealRecord,
} from './ledger/record.ts'
export { defenseStateMaxSizeBytes } from './ledger/state.ts'
export { memoryRecordStore, type RecordStore, recordMaxSizeBytes } from './ledger/store.ts'
export type { LedgerDeps, LedgerUsage, Reservation, Settlement } from './ledger/types.ts'
export {
  type LicenseClaims,
  maxBlockUnits,
  maxDefenseCount,
  maxUnits,
  minStatementEvery,
} from './license/claims.ts'
export {
  assertLicenseBinding,
  assertLicenseTime,
  type IssueLicenseInput,
  issueLicense,
  type License,
  type LicenseBinding,
  type LicenseTime,
  licenseTyp,
  verifyLicense,
} from './license/license.ts'
export { type BlockClosing, closingTyp, verifyClosing } from './receipts/closing.ts'
export {
  encodeReceiptLine,
  parseReceiptLog,
  type ReceiptLog,
  type ReceiptLogEntry,
} from './receipts/log.ts'
export {
  decodeReceipt,
  encodeReceipt,
  genesisHead,
  nextHead,
  type Receipt,
  type Verdict,
  verdicts,
} from './receipts/receipt.ts'
export {
  type ChainPosition,
  type VerifiedChain,
  type VerifyChainOptions,
  verifyReceiptChain,
} from './receipts/verify-chain.ts'
export type { SignerKeys } from './schema/parse.ts'
export {
  blockedBucket,
  readStatement,
  type Statement,
  type StatementClaims,
  type StatementHistory,
  type StatementVerdict,
  statementTyp,
  surchargeStep,
  verifyStatement,
} from './statement/statement.ts'
