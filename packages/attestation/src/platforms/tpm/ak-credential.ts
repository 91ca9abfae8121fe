// SPDX-License-Identifier: Apache-2.0
import {
  CryptoError,
  equalBytes,
  fromHex,
  type SigningKeyPair,
  signJws,
  toBase64Url,
  toHex,
} from '@mlcapsule/crypto'
import { base64UrlOf, hexOf, numericDate } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { authorityKeys, verifySignedBy } from '../../activation/signer.ts'
import { AttestationError } from '../../errors.ts'
import { parseWith } from '../../schema/parse.ts'

export const akCredentialTyp = 'mlc-ak+jwt'

/** A name of a key, lower-case hex. */
export const akNameSchema = z.string().regex(/^000[bcd](?:[0-9a-f]{2}){32,64}$/)

const credentialSchema = z.strictObject({
  iss: base64UrlOf(32),
  version: z.literal(1),
  iat: numericDate,
  exp: numericDate,
  akName: akNameSchema,
  ekSpkiSha256: hexOf(32),
  ekRootSpkiSha256: hexOf(32),
})

/** An authority's word that an attestation key lives in the TPM of an endorsement key. */
export interface AkCredential {
  /** Name of the attestation key (TPM 2.0 Library, Part 1, §16), 34 to 66 bytes. */
  readonly akName: Uint8Array
  /** SHA-256 of the SubjectPublicKeyInfo of the endorsement key, lower-case hex. */
  readonly ekSpkiSha256: string
  /** The same of the root that the endorsement key's certificate chains to. */
  readonly ekRootSpkiSha256: string
  readonly expiresAtMs: number
}

export interface SignAkCredentialInput extends AkCredential {
  readonly authority: SigningKeyPair
  readonly nowMs: number
}

/** @returns compact JWS of type `mlc-ak+jwt` */
export async function signAkCredential(input: SignAkCredentialInput): Promise<string> {
  const payload = {
    iss: toBase64Url(input.authority.publicKey),
    version: 1,
    iat: Math.floor(input.nowMs / 1000),
    exp: Math.floor(input.expiresAtMs / 1000),
    akName: toHex(input.akName),
    ekSpkiSha256: input.ekSpkiSha256,
    ekRootSpkiSha256: input.ekRootSpkiSha256,
  }
  const checked = parseWith(credentialSchema, payload, 'ATTESTATION_CLAIMS_INVALID', 'akCredential')
  return await signJws({ typ: akCredentialTyp, ...input.authority, payload: checked })
}

export interface VerifyAkCredentialOptions {
  /** Thumbprints of the keys that may sign. */
  readonly authorities: readonly string[]
  /** Of the key that signed the quote. */
  readonly akName: Uint8Array
  readonly nowMs: number
}

/**
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_ROOT_UNKNOWN` for another signer,
 * `ATTESTATION_SIGNATURE_INVALID`, `ATTESTATION_ENDORSEMENT_MISMATCH` for another key, `ATTESTATION_CERTIFICATE_EXPIRED`
 */
export async function verifyAkCredential(
  token: string,
  { authorities, akName, nowMs }: VerifyAkCredentialOptions,
): Promise<AkCredential> {
  const { payload } = await verifySigned(token, authorities)
  const read = parseWith(credentialSchema, payload, 'ATTESTATION_EVIDENCE_MALFORMED', 'akCredential')
  if (!equalBytes(fromHex(read.akName), akName)) {
    const detail = 'the credential is that of another attestation key'
    throw new AttestationError('ATTESTATION_ENDORSEMENT_MISMATCH', detail, { field: 'evidence.akCredential' })
  }
  if (nowMs < read.iat * 1000 || nowMs > read.exp * 1000) {
    const [from, until] = [read.iat, read.exp].map((it) => new Date(it * 1000).toISOString())
    const detail = `the credential of the attestation key holds from ${from} until ${until}`
    throw new AttestationError('ATTESTATION_CERTIFICATE_EXPIRED', detail, { field: 'evidence.akCredential' })
  }
  const { ekSpkiSha256, ekRootSpkiSha256 } = read
  return { akName, ekSpkiSha256, ekRootSpkiSha256, expiresAtMs: read.exp * 1000 }
}

async function verifySigned(token: string, authorities: readonly string[]) {
  try {
    return await verifySignedBy(token, {
      typ: akCredentialTyp,
      keys: authorityKeys(token, authorities),
      unknownSigner: 'ATTESTATION_ROOT_UNKNOWN',
      who: 'an authority for attestation keys that the trust store holds',
    })
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    const isSignature = cause.code === 'JWS_SIGNATURE_INVALID'
    throw new AttestationError(
      isSignature ? 'ATTESTATION_SIGNATURE_INVALID' : 'ATTESTATION_EVIDENCE_MALFORMED',
      'the credential of the attestation key does not verify',
      { field: 'evidence.akCredential', cause },
    )
  }
}
