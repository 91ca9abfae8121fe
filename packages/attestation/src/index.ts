// SPDX-License-Identifier: Apache-2.0
export {
  assertChallengeTime,
  type Challenge,
  type ChallengeClaims,
  type CreateChallengeInput,
  challengeMaxLifetimeSeconds,
  challengeTyp,
  clockSkewSeconds,
  createChallenge,
  readChallenge,
  tokenHash,
  type VerifyChallengeOptions,
  verifyChallenge,
} from './activation/challenge.ts'
export {
  type ActivationDecision,
  type ChallengeRecord,
  type DecideActivationInput,
  decideActivation,
} from './activation/decide.ts'
export {
  type OpenReleaseInput,
  openRelease,
  type ReleasedKeys,
  releaseInfo,
  type SealReleaseInput,
  sealRelease,
} from './activation/release.ts'
export {
  type ActivationRequest,
  activationReportData,
  type CreateRequestInput,
  createRequest,
  type EnclaveStatement,
  requestTyp,
  verifyRequest,
} from './activation/request.ts'
export {
  type ActivationResponse,
  type CreateResponseInput,
  createResponse,
  responseTyp,
  type VerifyResponseOptions,
  verifyResponse,
} from './activation/response.ts'
export { authorityKeys } from './activation/signer.ts'
export { decodeTokenFile, encodeTokenFile, tokenFileMaxSizeBytes } from './activation/token-file.ts'
export { type AppraisalInput, appraise } from './appraise/appraise.ts'
export {
  type AcceptedAttestation,
  type AcceptedEnclave,
  type AttestationResult,
  type RefusalReason,
  type RefusedAttestation,
  refusalError,
  requireAccepted,
} from './appraise/result.ts'
export {
  type AppraisalCheck,
  checkRules,
  type PlatformRule,
  type PlatformRules,
  type PlatformSection,
  parseSection,
  platformRule,
  suggestedSection,
} from './appraise/rules.ts'
export { type Collateral, noCollateral, requireCollateral } from './collateral/collateral.ts'
export { AttestationError, type AttestationErrorCode, attestationErrorTable } from './errors.ts'
export { evidenceMaxSizeBytes } from './evidence/evidence-size.ts'
export { bindReportData, type UnboundEvidence, verifyBy } from './evidence/report-data.ts'
export {
  type EvidenceVerifier,
  type ExamineContext,
  type ExamineEvidenceInput,
  examineEvidence,
  type RootKind,
  type TrustStore,
  type VerifiedEvidence,
  type VerifyContext,
  type VerifyEvidenceInput,
  verifierOf,
  verifyEvidence,
} from './evidence/verifier.ts'
export { type EnclaveManifest, manifestDigest, parseManifest } from './manifest/manifest.ts'
export { policyJsonSchema } from './policy/json-schema.ts'
export { type AttestationPolicy, admitTrustStores, parsePolicy } from './policy/policy.ts'
export { type ManifestReference, matchesReference } from './policy/references.ts'
export {
  type ReferenceValue,
  readReference,
  referenceTyp,
  type SignReferenceInput,
  signReference,
  verifyReference,
} from './reference/reference-value.ts'
export {
  anchorDescriptorMaxSizeBytes,
  buildReportClaims,
  type ReportClaims,
  type ReportPurpose,
  readReportClaims,
  reportData,
  reportPurposes,
  tpmQualifyingData,
} from './report/claims.ts'
