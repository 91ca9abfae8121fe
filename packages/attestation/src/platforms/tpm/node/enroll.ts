// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { deviceFailed } from '../../../devices/node/device-file.ts'
import { AttestationError } from '../../../errors.ts'
import {
  answerSizeBytes,
  type EnrollmentAnswer,
  type EnrollmentOffer,
  type EnrollmentRequest,
} from '../enrollment-files.ts'
import { assertAttestationKey, parsePublicArea, type TpmSigningKey } from '../public-area.ts'
import {
  activateCredential,
  type CreateAttestationKeyOptions,
  createAttestationKey,
  readAttestationKey,
  readEkCertificate,
} from './keys.ts'
import type { TpmOptions } from './tools.ts'

export interface RequestEnrollmentOptions extends CreateAttestationKeyOptions {
  /** DER of the authorities below the maker's root, where the provider is not known to have them. */
  readonly intermediates: readonly Uint8Array[]
  /** DER of the endorsement key's certificate, where its maker has not put it into the TPM; else it is read there. */
  readonly ekCertificate?: Uint8Array
}

export interface RequestedEnrollment {
  readonly request: EnrollmentRequest
  /** Lower-case hex. */
  readonly akName: string
  /** Whether the key was made for this; else it was at the handle before. */
  readonly isKeyNew: boolean
}

/**
 * Begins the enrollment of the attestation key at a handle, which is made where there is none.
 * @throws AttestationError as `createAttestationKey` does; `ATTESTATION_EVIDENCE_UNSUPPORTED` where something else than an
 * attestation key is at the handle, `ATTESTATION_CLAIMS_INVALID` where it is one of another type
 */
export async function requestEnrollment(options: RequestEnrollmentOptions): Promise<RequestedEnrollment> {
  // First: without a certificate nobody can enroll the key, and so none is made.
  const certificate = options.ekCertificate ?? (await readEkCertificate(options.ek, options))
  const found = await keyAt(options)
  const akPublic = found ?? (await createAttestationKey(options))
  const key = parsePublicArea(akPublic)
  assertAttestationKey(key)
  assertType(key, options.keyType)
  const chain = [certificate, ...options.intermediates]
  return { request: { akPublic, chain }, akName: toHex(key.name), isKeyNew: found === null }
}

/** The tools do not tell an empty handle from a failure; where it is one, making a key fails as well, and says why. */
async function keyAt(options: CreateAttestationKeyOptions): Promise<Uint8Array | null> {
  try {
    return await readAttestationKey(options)
  } catch (error) {
    if (error instanceof AttestationError && error.code === 'ATTESTATION_DEVICE_FAILED') return null
    throw error
  }
}

function assertType({ jwk }: TpmSigningKey, keyType: CreateAttestationKeyOptions['keyType']): void {
  if ((jwk.kty === 'RSA') === (keyType === 'rsa')) return
  const detail = `keyType: the key at the handle is of the other type, ${jwk.kty}: name that, or another handle`
  throw new AttestationError('ATTESTATION_CLAIMS_INVALID', detail, { field: 'keyType' })
}

/**
 * Has the TPM open an offer: its half of enrollment.
 * @param options where the attestation key is
 * @returns a secret until it is given
 * @throws AttestationError as `activateCredential` does; `ATTESTATION_ENDORSEMENT_MISMATCH` for an offer for another key
 */
export async function answerOffer(
  offer: EnrollmentOffer,
  options: TpmOptions & { readonly handle: number },
): Promise<EnrollmentAnswer> {
  const { name } = parsePublicArea(await readAttestationKey(options))
  if (toHex(name) !== offer.akName) {
    const detail = 'the offer is for another attestation key than the one at the handle'
    throw new AttestationError('ATTESTATION_ENDORSEMENT_MISMATCH', detail, { field: 'offer.akName' })
  }
  const answer = await activateCredential(offer.sealed, { ...options, ek: offer.ek })
  if (answer.length !== answerSizeBytes)
    deviceFailed('the credential that was opened has another size than an answer')
  return { id: offer.id, answer }
}
