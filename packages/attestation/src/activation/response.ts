// SPDX-License-Identifier: Apache-2.0
import {
  fromBase64Url,
  jwsMaxSizeBytes,
  type SealedKeyRelease,
  type SigningKeyPair,
  signJws,
  toBase64Url,
} from '@mlcapsule/crypto'
import { base64UrlOf, base64UrlUpTo } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { AttestationError } from '../errors.ts'
import { parseWith } from '../schema/parse.ts'
import { type Challenge, tokenHash } from './challenge.ts'
import { authorityKeys, verifySignedBy } from './signer.ts'

export const responseTyp = 'mlc-response+jwt'

const responseSchema = z.strictObject({
  iss: base64UrlOf(32),
  jti: base64UrlOf(16),
  licenseHash: base64UrlOf(32),
  enc: base64UrlOf(32),
  ct: base64UrlUpTo(1024),
  license: z.string().max(jwsMaxSizeBytes),
})

export interface CreateResponseInput {
  readonly authority: SigningKeyPair
  /** `jti` of the challenge that is answered. */
  readonly challengeId: string
  /** License token, passed through unread. */
  readonly license: string
  readonly release: SealedKeyRelease
}

/**
 * Makes the provider's answer.
 * @returns compact JWS of type `mlc-response+jwt`
 * @throws AttestationError `ACTIVATION_RESPONSE_MALFORMED`
 */
export async function createResponse(input: CreateResponseInput): Promise<string> {
  const payload = {
    iss: toBase64Url(input.authority.publicKey),
    jti: input.challengeId,
    licenseHash: toBase64Url(tokenHash(input.license)),
    enc: toBase64Url(input.release.enc),
    ct: toBase64Url(input.release.ciphertext),
    license: input.license,
  }
  const checked = parseWith(responseSchema, payload, 'ACTIVATION_RESPONSE_MALFORMED', 'response')
  return await signJws({ typ: responseTyp, ...input.authority, payload: checked })
}

export interface ActivationResponse {
  readonly license: string
  readonly release: SealedKeyRelease
}

export interface VerifyResponseOptions {
  /** Thumbprints in the capsule's signed header. */
  readonly authority: readonly string[]
  /** The challenge that this enclave's request answered. */
  readonly challenge: Challenge
}

/**
 * What an enclave checks of a response before it opens the release. The license has its own check.
 * @throws AttestationError `ACTIVATION_SIGNER_UNKNOWN`, `ACTIVATION_RESPONSE_MALFORMED`, `ACTIVATION_BINDING_MISMATCH`;
 * CryptoError `JWS_*`
 */
export async function verifyResponse(
  token: string,
  options: VerifyResponseOptions,
): Promise<ActivationResponse> {
  const verified = await verifySignedBy(token, {
    typ: responseTyp,
    keys: authorityKeys(token, options.authority),
    unknownSigner: 'ACTIVATION_SIGNER_UNKNOWN',
    who: 'an authority of the capsule',
  })
  const response = parseWith(responseSchema, verified.payload, 'ACTIVATION_RESPONSE_MALFORMED', 'response')
  if (response.jti !== options.challenge.claims.jti) {
    throw new AttestationError('ACTIVATION_BINDING_MISMATCH', 'the response answers another challenge', {
      field: 'response.jti',
    })
  }
  if (response.licenseHash !== toBase64Url(tokenHash(response.license))) {
    throw new AttestationError(
      'ACTIVATION_BINDING_MISMATCH',
      'the license is not the one whose hash is signed',
      {
        field: 'response.licenseHash',
      },
    )
  }
  const release = { enc: fromBase64Url(response.enc), ciphertext: fromBase64Url(response.ct) }
  return { license: response.license, release }
}
