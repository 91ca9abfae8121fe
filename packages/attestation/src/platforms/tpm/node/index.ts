// SPDX-License-Identifier: Apache-2.0
export { type TpmAttesterOptions, tpmAttester } from './attester.ts'
export {
  type ActivateCredentialOptions,
  activateCredential,
  type CreateAttestationKeyOptions,
  createAttestationKey,
  type EkKind,
  readEkCertificate,
} from './keys.ts'
export type { TpmOptions } from './tools.ts'
