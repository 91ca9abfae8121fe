// SPDX-License-Identifier: Apache-2.0
export { type TpmAttesterOptions, tpmAttester } from './attester.ts'
export {
  answerOffer,
  type RequestEnrollmentOptions,
  type RequestedEnrollment,
  requestEnrollment,
} from './enroll.ts'
export {
  type ActivateCredentialOptions,
  activateCredential,
  type CreateAttestationKeyOptions,
  createAttestationKey,
  type EkKind,
  readAttestationKey,
  readEkCertificate,
} from './keys.ts'
export type { TpmOptions } from './tools.ts'
