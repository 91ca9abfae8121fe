// SPDX-License-Identifier: Apache-2.0
import {
  equalBytes,
  fromBase64Url,
  keyThumbprintBytes,
  randomBytes,
  type SigningKeyPair,
  sha256,
  signJws,
  toBase64Url,
  utf8Bytes,
} from '@mlcapsule/crypto'
import { base64UrlOf, confirmation, numericDate } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { AttestationError } from '../errors.ts'
import { orderPattern, type ReportPurpose, reportPurposes } from '../report/claims.ts'
import { parseWith } from '../schema/parse.ts'
import { authorityKeys, verifySignedBy } from './signer.ts'

export const challengeTyp = 'mlc-challenge+jwt'
/** A challenge file may be carried across an air gap, but not forever. */
export const challengeMaxLifetimeSeconds = 2_678_400
/** How far clocks may differ. */
export const clockSkewSeconds = 300

export const challengeSchema = z
  .strictObject({
    iss: base64UrlOf(32),
    jti: base64UrlOf(16),
    nonce: base64UrlOf(32),
    order: z.string().regex(orderPattern),
    capsuleId: base64UrlOf(32),
    purpose: z.enum(reportPurposes),
    iat: numericDate,
    exp: numericDate,
    cnf: confirmation,
  })
  .refine((it) => it.exp > it.iat && it.exp - it.iat <= challengeMaxLifetimeSeconds, {
    path: ['exp'],
    message: `is not after iat by at most ${challengeMaxLifetimeSeconds} s`,
  })

/** Claims of a challenge, as its payload holds them. */
export type ChallengeClaims = Readonly<z.infer<typeof challengeSchema>>

export interface Challenge {
  /** Compact JWS of type `mlc-challenge+jwt`. */
  readonly token: string
  readonly claims: ChallengeClaims
  /** 32 bytes each. */
  readonly nonce: Uint8Array
  readonly capsuleId: Uint8Array
  /** Ed25519 key of the customer who may answer. */
  readonly customerKey: Uint8Array
  /** Ed25519 key that signed, and its thumbprint. */
  readonly signerKey: Uint8Array
  readonly signer: Uint8Array
}

export interface CreateChallengeInput {
  readonly authority: SigningKeyPair
  /** Ed25519 key of the customer, 32 bytes. */
  readonly customerKey: Uint8Array
  /** Name of the order, or for another purpose than `activate` the base64url hash of the license. */
  readonly order: string
  /** 32 bytes. */
  readonly capsuleId: Uint8Array
  readonly purpose: ReportPurpose
  readonly nowMs: number
  readonly lifetimeSeconds: number
  /** For reproducible vectors; the platform's generator when absent. */
  readonly random?: (sizeBytes: number) => Uint8Array
}

/**
 * Issues a challenge. The provider stores its claims, and lets each be answered once.
 * @throws AttestationError `CHALLENGE_MALFORMED`
 */
export async function createChallenge(input: CreateChallengeInput): Promise<Challenge> {
  const random = input.random ?? randomBytes
  const iat = Math.floor(input.nowMs / 1000)
  const payload = {
    iss: toBase64Url(input.authority.publicKey),
    jti: toBase64Url(random(16)),
    nonce: toBase64Url(random(32)),
    order: input.order,
    capsuleId: toBase64Url(input.capsuleId),
    purpose: input.purpose,
    iat,
    exp: iat + input.lifetimeSeconds,
    cnf: { jwk: { crv: 'Ed25519', kty: 'OKP', x: toBase64Url(input.customerKey) } },
  }
  const claims = parseWith(challengeSchema, payload, 'CHALLENGE_MALFORMED', 'challenge')
  const token = await signJws({ typ: challengeTyp, ...input.authority, payload: claims })
  return challengeOf(token, claims, input.authority.publicKey)
}

function challengeOf(token: string, claims: ChallengeClaims, signerKey: Uint8Array): Challenge {
  return {
    token,
    claims,
    nonce: fromBase64Url(claims.nonce),
    capsuleId: fromBase64Url(claims.capsuleId),
    customerKey: fromBase64Url(claims.cnf.jwk.x),
    signerKey,
    signer: keyThumbprintBytes(signerKey),
  }
}

/**
 * Checks signer and form, and nothing that depends on time.
 * @param authority thumbprints of the keys that may sign
 * @throws AttestationError `CHALLENGE_SIGNER_UNKNOWN`, `CHALLENGE_MALFORMED`; CryptoError `JWS_*`
 */
export async function readChallenge(token: string, authority: readonly string[]): Promise<Challenge> {
  const keys = authorityKeys(token, authority)
  const options = { typ: challengeTyp, keys, who: 'an authority of the capsule' }
  const verified = await verifySignedBy(token, { ...options, unknownSigner: 'CHALLENGE_SIGNER_UNKNOWN' })
  const claims = parseWith(challengeSchema, verified.payload, 'CHALLENGE_MALFORMED', 'challenge')
  return challengeOf(token, claims, verified.publicKey)
}

/** @throws AttestationError `CHALLENGE_EXPIRED`, `CHALLENGE_NOT_YET_VALID` */
export function assertChallengeTime(claims: ChallengeClaims, nowMs: number): void {
  const nowSeconds = Math.floor(nowMs / 1000)
  // Written so that a clock that shows no number at all refuses.
  if (!(nowSeconds < claims.exp)) {
    const detail = `the challenge could be answered until ${new Date(claims.exp * 1000).toISOString()}`
    throw new AttestationError('CHALLENGE_EXPIRED', detail, { field: 'challenge.exp' })
  }
  if (nowSeconds + clockSkewSeconds < claims.iat) {
    const detail = `the challenge is issued at ${new Date(claims.iat * 1000).toISOString()}`
    throw new AttestationError('CHALLENGE_NOT_YET_VALID', detail, { field: 'challenge.iat' })
  }
}

export interface VerifyChallengeOptions {
  /** Thumbprints in the capsule's signed header. */
  readonly authority: readonly string[]
  /** The capsule that is open, 32 bytes. */
  readonly capsuleId: Uint8Array
  /** Inside an enclave a hint by the host: it can only make the enclave refuse. */
  readonly nowMs: number
}

/**
 * What an enclave checks before it makes evidence.
 * @throws AttestationError `CHALLENGE_SIGNER_UNKNOWN`, `CHALLENGE_MALFORMED`, `CHALLENGE_CAPSULE_MISMATCH`,
 * `CHALLENGE_EXPIRED`, `CHALLENGE_NOT_YET_VALID`; CryptoError `JWS_*`
 */
export async function verifyChallenge(token: string, options: VerifyChallengeOptions): Promise<Challenge> {
  const challenge = await readChallenge(token, options.authority)
  if (!equalBytes(challenge.capsuleId, options.capsuleId)) {
    throw new AttestationError('CHALLENGE_CAPSULE_MISMATCH', 'the challenge names another capsule id', {
      field: 'challenge.capsuleId',
    })
  }
  assertChallengeTime(challenge.claims, options.nowMs)
  return challenge
}

/** SHA-256 of a token's ASCII: how one token names another. */
export function tokenHash(token: string): Uint8Array {
  return sha256(utf8Bytes(token))
}
