// SPDX-License-Identifier: Apache-2.0
export {
  type AkCredential,
  akCredentialTyp,
  type SignAkCredentialInput,
  signAkCredential,
  type VerifyAkCredentialOptions,
  verifyAkCredential,
} from './ak-credential.ts'
export type { TpmHashName } from './algorithms.ts'
export { type PcrSelection, parseAttest, type QuoteInfo, type TpmAttest } from './attest.ts'
export { type VerifyEnrollmentRequestInput, verifyEnrollmentRequest } from './ek-chain.ts'
export { describeEkRoot, type EkRoot, readEkRoots } from './ek-root.ts'
export {
  type EkProtection,
  type EndorsementKey,
  type VerifyEndorsementKeyInput,
  verifyEndorsementKey,
} from './endorsement-key.ts'
export {
  type AttestationKeyOffer,
  type IssueAkCredentialInput,
  issueAkCredential,
  offerAkCredential,
  type PendingAttestationKey,
} from './enrollment.ts'
export {
  decodeEnrollmentAnswer,
  decodeEnrollmentOffer,
  decodeEnrollmentRequest,
  type EnrollmentAnswer,
  type EnrollmentOffer,
  type EnrollmentRequest,
  encodeEnrollmentAnswer,
  encodeEnrollmentOffer,
  encodeEnrollmentRequest,
  enrollmentFileMaxSizeBytes,
} from './enrollment-files.ts'
export { parseTpmEvidence } from './evidence.ts'
export { encodeTpmEvidence, type TpmEvidence, tpmPlatform } from './evidence-encoding.ts'
export { makeCredential, type SealedCredential } from './make-credential.ts'
export { assertAttestationKey, parsePublicArea, type TpmSigningKey } from './public-area.ts'
export type { PublicJwk } from './public-key.ts'
export { type TpmClaims, tpmRules } from './rules.ts'
export { parseSignature, type TpmSignature } from './signature.ts'
export {
  type TpmTrustStore,
  type TpmVerifyOptions,
  tpmTrustStore,
  tpmVerifier,
  verifiedTpm,
  verifyTpmEvidence,
} from './verifier.ts'
export { type PcrBanks, type QuoteInput, type VerifiedQuote, verifyQuote } from './verify-quote.ts'
