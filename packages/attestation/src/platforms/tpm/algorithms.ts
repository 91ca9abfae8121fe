// SPDX-License-Identifier: Apache-2.0
import { sha256, sha384, sha512 } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'

/** Hashes that are strong enough here: SHA-1 is not. */
export const tpmHashNames = ['sha256', 'sha384', 'sha512'] as const
export type TpmHashName = (typeof tpmHashNames)[number]

export interface TpmHash {
  /** TPM_ALG_ID. */
  readonly id: number
  readonly name: TpmHashName
  readonly sizeBytes: number
  readonly webCryptoName: string
  readonly digest: (...parts: readonly Uint8Array[]) => Uint8Array
}

/** @see TCG Algorithm Registry, table 3 (TPM_ALG_ID) */
export const tpmHashes: Readonly<Record<TpmHashName, TpmHash>> = {
  sha256: { id: 0x000b, name: 'sha256', sizeBytes: 32, webCryptoName: 'SHA-256', digest: sha256 },
  sha384: { id: 0x000c, name: 'sha384', sizeBytes: 48, webCryptoName: 'SHA-384', digest: sha384 },
  sha512: { id: 0x000d, name: 'sha512', sizeBytes: 64, webCryptoName: 'SHA-512', digest: sha512 },
}

export const tpmAlgorithms = {
  rsa: 0x0001,
  null: 0x0010,
  rsassa: 0x0014,
  rsapss: 0x0016,
  oaep: 0x0017,
  ecdsa: 0x0018,
  ecc: 0x0023,
} as const

export interface TpmCurve {
  /** TPM_ECC_CURVE. */
  readonly id: number
  readonly webCryptoName: 'P-256' | 'P-384'
  readonly coordinateSizeBytes: number
}

/** @see TCG Algorithm Registry, table 4 (TPM_ECC_CURVE) */
export const tpmCurves: readonly TpmCurve[] = [
  { id: 0x0003, webCryptoName: 'P-256', coordinateSizeBytes: 32 },
  { id: 0x0004, webCryptoName: 'P-384', coordinateSizeBytes: 48 },
]

/**
 * @param what names the use, for the message
 * @throws AttestationError `ATTESTATION_EVIDENCE_UNSUPPORTED` for any hash but SHA-256, SHA-384 and SHA-512
 */
export function requireHash(id: number, what: string): TpmHash {
  const hash = Object.values(tpmHashes).find((it) => it.id === id)
  if (hash !== undefined) return hash
  throw unsupported(`${what} uses hash 0x${id.toString(16)}, not SHA-256, SHA-384 or SHA-512`)
}

export function unsupported(detail: string): AttestationError {
  return new AttestationError('ATTESTATION_EVIDENCE_UNSUPPORTED', detail, { field: 'evidence' })
}
