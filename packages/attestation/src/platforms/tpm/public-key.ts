// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url } from '@mlcapsule/crypto'
import { type TpmCurve, tpmCurves, unsupported } from './algorithms.ts'

/** A public key as JWK (RFC 7518 §6), of which nothing else is looked at. */
export type PublicJwk =
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'EC'; readonly crv: string; readonly x: string; readonly y: string }

/** 65537. */
const exponent = 'AQAB'
const rsaMinSizeBytes = 256
/** Of a modulus, and so of a signature. */
export const rsaMaxSizeBytes = 512
/** No curve of a TPM has longer ones. */
export const coordinateMaxSizeBytes = 66

/**
 * @returns the size of modulus or coordinate, and the curve of an ECC key
 * @throws AttestationError `ATTESTATION_EVIDENCE_UNSUPPORTED` for an RSA key below 2,048 bits, above 4,096, or of another
 * exponent than 65537, and for another curve than P-256 and P-384
 */
export function requireKey(key: PublicJwk): { readonly sizeBytes: number; readonly curve: TpmCurve | null } {
  if (key.kty === 'EC') {
    const curve = tpmCurves.find((it) => it.webCryptoName === key.crv)
    if (curve === undefined) throw unsupported('an ECC key is of another curve than P-256 and P-384')
    return { sizeBytes: curve.coordinateSizeBytes, curve }
  }
  const modulus = decode(key.n)
  if (key.e !== exponent) throw unsupported('the exponent of an RSA key is not 65537')
  if ((modulus[0] ?? 0) < 0x80 || modulus.length < rsaMinSizeBytes || modulus.length > rsaMaxSizeBytes) {
    throw unsupported(`an RSA key has ${8 * modulus.length} bits or fewer, 2,048 to 4,096 are verified here`)
  }
  return { sizeBytes: modulus.length, curve: null }
}

function decode(text: string): Uint8Array {
  try {
    return fromBase64Url(text)
  } catch {
    throw unsupported('the modulus of an RSA key is not base64url')
  }
}
