// SPDX-License-Identifier: Apache-2.0
import { concatBytes, decodeCbor, domain, encodeCbor, sha256, sha512 } from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'

/** What an activation is for. */
export const reportPurposes = ['activate', 'resume', 'handover', 'client-check'] as const
export type ReportPurpose = (typeof reportPurposes)[number]

/** No anchor descriptor is longer. */
export const anchorDescriptorMaxSizeBytes = 1024

/** What evidence binds: R of spec/evidence.md §2. */
export interface ReportClaims {
  readonly purpose: ReportPurpose
  /** 32 bytes, from the challenge. */
  readonly nonce: Uint8Array
  /** X25519 key that the content key will be sealed to, 32 bytes. */
  readonly releaseKey: Uint8Array
  /** Ed25519 key of this enclave, 32 bytes. */
  readonly identityKey: Uint8Array
  /** 32 bytes. */
  readonly capsuleId: Uint8Array
  /** 32 bytes. */
  readonly headerHash: Uint8Array
  /** The challenge's `order`: an order's name, or the hash of a license where the purpose is another than `activate`. */
  readonly order: string
  /** Thumbprint of the key that signed the challenge, 32 bytes. */
  readonly challengeSigner: Uint8Array
  /** What the license will bind the ledger to; null where there is no ledger. At most 1,024 bytes. */
  readonly anchor: Uint8Array | null
  /** SHA-384 of the manifest, 48 bytes. */
  readonly manifestSha384: Uint8Array
}

/** Name of an order, or the base64url hash of a license. */
export const orderPattern: RegExp = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/

function refuse(field: string, expected: string): never {
  throw new AttestationError('ATTESTATION_CLAIMS_INVALID', `${field}: expected ${expected}`, { field })
}

function bytes(
  claims: ReadonlyMap<unknown, unknown>,
  key: number,
  field: string,
  sizeBytes: number,
): Uint8Array {
  const value = claims.get(key)
  if (!(value instanceof Uint8Array) || value.length !== sizeBytes) refuse(field, `${sizeBytes} bytes`)
  return value
}

function fromMap(map: ReadonlyMap<unknown, unknown>): ReportClaims {
  const purpose = reportPurposes.find((it) => it === map.get(1))
  if (purpose === undefined) refuse('purpose', reportPurposes.join(', '))
  const order = map.get(7)
  if (typeof order !== 'string' || !orderPattern.test(order))
    refuse('order', '1 to 64 characters A–Z a–z 0–9 . _ -')
  const anchor = map.get(9)
  if (anchor !== null && !(anchor instanceof Uint8Array)) refuse('anchor', 'bytes or null')
  if (anchor !== null && (anchor.length === 0 || anchor.length > anchorDescriptorMaxSizeBytes)) {
    refuse('anchor', `1 to ${anchorDescriptorMaxSizeBytes} bytes`)
  }
  return {
    purpose,
    nonce: bytes(map, 2, 'nonce', 32),
    releaseKey: bytes(map, 3, 'releaseKey', 32),
    identityKey: bytes(map, 4, 'identityKey', 32),
    capsuleId: bytes(map, 5, 'capsuleId', 32),
    headerHash: bytes(map, 6, 'headerHash', 32),
    order,
    challengeSigner: bytes(map, 8, 'challengeSigner', 32),
    anchor,
    manifestSha384: bytes(map, 10, 'manifestSha384', 48),
  }
}

/**
 * R: the claims as deterministic CBOR.
 * @throws AttestationError `ATTESTATION_CLAIMS_INVALID`
 * @see spec/evidence.md §2
 */
export function buildReportClaims(claims: ReportClaims): Uint8Array {
  const map = new Map<number, unknown>([
    [1, claims.purpose],
    [2, claims.nonce],
    [3, claims.releaseKey],
    [4, claims.identityKey],
    [5, claims.capsuleId],
    [6, claims.headerHash],
    [7, claims.order],
    [8, claims.challengeSigner],
    [9, claims.anchor],
    [10, claims.manifestSha384],
  ])
  fromMap(map)
  return encodeCbor(map)
}

/**
 * Reads R, for people who want to see what was bound. A verifier never trusts it: it builds R from what it expects.
 * @throws AttestationError `ATTESTATION_CLAIMS_INVALID`; CryptoError `CBOR_*`
 */
export function readReportClaims(claimsBytes: Uint8Array): ReportClaims {
  const map = decodeCbor(claimsBytes, { maxSizeBytes: 2048 })
  if (!(map instanceof Map) || map.size !== 10) refuse('claims', 'a map with the keys 1 to 10')
  return fromMap(map)
}

/** SHA-512(D("report") ‖ R): the 64 bytes that evidence binds. */
export function reportData(claimsBytes: Uint8Array): Uint8Array {
  return sha512(domain('report'), claimsBytes)
}

/** SHA-256(D("report-tpm") ‖ reportData): what a TPM quote binds, since many TPMs take at most 50 bytes. */
export function tpmQualifyingData(reportDataBytes: Uint8Array): Uint8Array {
  return sha256(concatBytes(domain('report-tpm'), reportDataBytes))
}
