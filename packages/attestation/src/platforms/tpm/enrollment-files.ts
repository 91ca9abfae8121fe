// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url, toBase64Url, utf8Bytes } from '@mlcapsule/crypto'
import { base64UrlOf, base64UrlUpTo, hexOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { AttestationError } from '../../errors.ts'
import { parseWith } from '../../schema/parse.ts'
import { akNameSchema } from './ak-credential.ts'
import type { SealedCredential } from './make-credential.ts'

/** Of each of the three files: a chain of certificates is the most that one holds. */
export const enrollmentFileMaxSizeBytes = 65_536
/** Of a request: the endorsement key's certificate, and what stands between it and the root. */
const chainMaxCount = 4
const certificateMaxSizeBytes = 8192
const akPublicMaxSizeBytes = 1024
/** HMAC of 64 bytes and a secret of 64, each with its size, is the most that a TPM has. */
const idObjectMaxSizeBytes = 256
const encryptedSecretMaxSizeBytes = 512

/** Size of what is sealed, and so of what the TPM answers with. */
export const answerSizeBytes = 32

/** What a client asks with, that its attestation key be enrolled. Nothing in it is secret. */
export interface EnrollmentRequest {
  /** TPMT_PUBLIC of the attestation key. */
  readonly akPublic: Uint8Array
  /** DER: the certificate of the endorsement key, then authorities below the root, in any order. */
  readonly chain: readonly Uint8Array[]
}

/** What the authority sends for the TPM to open. Only that TPM can make use of it. */
export interface EnrollmentOffer {
  /** Lower-case hex, 16 bytes: which of the authority's offers it is. */
  readonly id: string
  /** Name of the attestation key, lower-case hex. */
  readonly akName: string
  /** The endorsement key that it is sealed for. */
  readonly ek: 'rsa' | 'P-256' | 'P-384'
  readonly sealed: SealedCredential
}

/** What the TPM has found in an offer: a secret until it is given. */
export interface EnrollmentAnswer {
  readonly id: string
  /** 32 bytes. */
  readonly answer: Uint8Array
}

const requestSchema = z.strictObject({
  version: z.literal(1),
  akPublic: base64UrlUpTo(akPublicMaxSizeBytes),
  chain: z.array(base64UrlUpTo(certificateMaxSizeBytes)).min(1).max(chainMaxCount),
})

const offerSchema = z.strictObject({
  version: z.literal(1),
  id: hexOf(16),
  akName: akNameSchema,
  ek: z.enum(['rsa', 'P-256', 'P-384']),
  idObject: base64UrlUpTo(idObjectMaxSizeBytes),
  encryptedSecret: base64UrlUpTo(encryptedSecretMaxSizeBytes),
})

const answerSchema = z.strictObject({
  version: z.literal(1),
  id: hexOf(16),
  answer: base64UrlOf(answerSizeBytes),
})

function invalid(detail: string, what: string): AttestationError {
  return new AttestationError('ATTESTATION_ENROLLMENT_INVALID', detail, { field: what })
}

/** JSON with a space of indent and a line feed at the end, members in the schema's order: the one way to write it. */
const textOf = (value: object) => `${JSON.stringify(value, null, 1)}\n`

function encode<Schema extends z.ZodType<object>>(schema: Schema, value: object, what: string): Uint8Array {
  return utf8Bytes(textOf(parseWith(schema, value, 'ATTESTATION_ENROLLMENT_INVALID', what)))
}

function decode<Schema extends z.ZodType<object>>(
  schema: Schema,
  bytes: Uint8Array,
  what: string,
): z.output<Schema> {
  if (bytes.length > enrollmentFileMaxSizeBytes)
    throw invalid(`${what}: it has more than ${enrollmentFileMaxSizeBytes} bytes`, what)
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own words would repeat what the file holds, and an answer is a secret.
    throw invalid(`${what}: it is not JSON`, what)
  }
  const read = parseWith(schema, value, 'ATTESTATION_ENROLLMENT_INVALID', what)
  if (textOf(read) !== text)
    throw invalid(`${what}: it is not written as its form asks for: order, space, or a repeated member`, what)
  return read
}

/**
 * @throws AttestationError `ATTESTATION_ENROLLMENT_INVALID` for a key or certificates of sizes that none has, and for more
 * than four certificates
 * @see spec/evidence-tpm.md §5
 */
export function encodeEnrollmentRequest({ akPublic, chain }: EnrollmentRequest): Uint8Array {
  const value = { version: 1, akPublic: toBase64Url(akPublic), chain: chain.map(toBase64Url) }
  return encode(requestSchema, value, 'request')
}

/** Nothing in it is trusted for having been read. @throws AttestationError `ATTESTATION_ENROLLMENT_INVALID` */
export function decodeEnrollmentRequest(bytes: Uint8Array): EnrollmentRequest {
  const { akPublic, chain } = decode(requestSchema, bytes, 'request')
  return { akPublic: fromBase64Url(akPublic), chain: chain.map((it) => fromBase64Url(it)) }
}

/** @throws AttestationError `ATTESTATION_ENROLLMENT_INVALID` @see spec/evidence-tpm.md §5 */
export function encodeEnrollmentOffer({ id, akName, ek, sealed }: EnrollmentOffer): Uint8Array {
  const [idObject, encryptedSecret] = [toBase64Url(sealed.idObject), toBase64Url(sealed.encryptedSecret)]
  return encode(offerSchema, { version: 1, id, akName, ek, idObject, encryptedSecret }, 'offer')
}

/** @throws AttestationError `ATTESTATION_ENROLLMENT_INVALID` */
export function decodeEnrollmentOffer(bytes: Uint8Array): EnrollmentOffer {
  const { id, akName, ek, idObject, encryptedSecret } = decode(offerSchema, bytes, 'offer')
  const sealed = { idObject: fromBase64Url(idObject), encryptedSecret: fromBase64Url(encryptedSecret) }
  return { id, akName, ek, sealed }
}

/** For a file that its owner alone can read. @throws AttestationError `ATTESTATION_ENROLLMENT_INVALID` @see spec/evidence-tpm.md §5 */
export function encodeEnrollmentAnswer({ id, answer }: EnrollmentAnswer): Uint8Array {
  return encode(answerSchema, { version: 1, id, answer: toBase64Url(answer) }, 'answer')
}

/** @throws AttestationError `ATTESTATION_ENROLLMENT_INVALID` */
export function decodeEnrollmentAnswer(bytes: Uint8Array): EnrollmentAnswer {
  const { id, answer } = decode(answerSchema, bytes, 'answer')
  return { id, answer: fromBase64Url(answer) }
}
