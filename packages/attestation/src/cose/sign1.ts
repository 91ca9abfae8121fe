// SPDX-License-Identifier: Apache-2.0
import { encodeCbor } from '@mlcapsule/crypto'
import { verifyEcdsa } from '../ecdsa/ecdsa.ts'
import { AttestationError, type AttestationErrorCode } from '../errors.ts'
import { decodeForeignCbor } from './cbor.ts'

/** ECDSA with SHA-384: the one algorithm that is verified here. RFC 9053 §2.1. */
export const es384 = -35

const sign1Tag = 0xd2
const algorithmLabel = 1
const signatureSizeBytes = 96

/** A signed message that has been read. Nothing of it is trusted before `verifyCoseSign1` says so. */
export interface CoseSign1 {
  /** Whether the tag of COSE_Sign1 (18) stood before it. */
  readonly isTagged: boolean
  /** As they were signed. */
  readonly protectedBytes: Uint8Array
  readonly payload: Uint8Array
  /** r ‖ s, big-endian, 96 bytes. */
  readonly signature: Uint8Array
}

function refused(code: AttestationErrorCode, detail: string): AttestationError {
  return new AttestationError(code, `COSE_Sign1: ${detail}`, { field: 'evidence.bytes' })
}

const malformed = (detail: string) => refused('ATTESTATION_EVIDENCE_MALFORMED', detail)

/**
 * Reads a message signed by one key with ES384. The algorithm is that of the protected header, which holds nothing else; the
 * unprotected one, which nobody signs, has to be empty.
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`; `ATTESTATION_EVIDENCE_UNSUPPORTED` for another algorithm
 * @see RFC 9052 §4.2
 */
export function parseCoseSign1(bytes: Uint8Array, maxSizeBytes: number): CoseSign1 {
  const isTagged = bytes[0] === sign1Tag
  const limits = { what: 'COSE_Sign1', maxSizeBytes, maxContainerCount: 2 }
  const message = decodeForeignCbor(isTagged ? bytes.subarray(1) : bytes, limits)
  if (!Array.isArray(message) || message.length !== 4) throw malformed('is no array of four')
  const [protectedBytes, unprotected, payload, signature] = message as readonly unknown[]
  if (!(protectedBytes instanceof Uint8Array)) throw malformed('has no protected header')
  if (!(unprotected instanceof Map) || unprotected.size > 0)
    throw malformed('has a header that is not signed')
  if (!(payload instanceof Uint8Array)) throw malformed('has no payload')
  if (!(signature instanceof Uint8Array) || signature.length !== signatureSizeBytes) {
    throw malformed(`has no signature of ${signatureSizeBytes} bytes`)
  }
  assertEs384(protectedBytes)
  return { isTagged, protectedBytes, payload, signature }
}

function assertEs384(protectedBytes: Uint8Array): void {
  const what = 'protected header of COSE_Sign1'
  const limits = { what, maxSizeBytes: protectedBytes.length, maxContainerCount: 1 }
  const header = decodeForeignCbor(protectedBytes, limits)
  if (!(header instanceof Map)) throw malformed('has a protected header that is no map')
  if (header.size === 1 && header.get(algorithmLabel) === es384) return
  const detail = 'only messages that name ES384, and nothing else, in their protected header are verified'
  throw refused('ATTESTATION_EVIDENCE_UNSUPPORTED', detail)
}

/**
 * Whether the key signed the message. A key that is not of P-384 signed nothing.
 * @param spki SubjectPublicKeyInfo
 * @see RFC 9052 §4.4
 */
export async function verifyCoseSign1(
  { protectedBytes, payload, signature }: CoseSign1,
  spki: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const noExternalData = new Uint8Array(0)
  const signed = encodeCbor(['Signature1', protectedBytes, noExternalData, payload])
  return await verifyEcdsa('P-384', { spki }, new Uint8Array(signature), signed)
}
