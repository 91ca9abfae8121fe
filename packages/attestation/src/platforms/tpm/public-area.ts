// SPDX-License-Identifier: Apache-2.0
import { concatBytes, toBase64Url } from '@mlcapsule/crypto'
import type { ByteReader } from '../../bytes/byte-reader.ts'
import { requireHash, tpmAlgorithms, tpmCurves, unsupported } from './algorithms.ts'
import { coordinateMaxSizeBytes, type PublicJwk, rsaMaxSizeBytes } from './public-key.ts'
import { signatureSchemes } from './signature.ts'
import { padNumber, readSized, tpmReader } from './sized.ts'

/** Bits of TPMA_OBJECT (TPM 2.0 Library, Part 2, §8.3) that make a key one of attestation. */
const attributeBits = {
  fixedTPM: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const

const digestMaxSizeBytes = 64

/** TPMT_PUBLIC of a signing key, as read. */
export interface TpmSigningKey {
  readonly attributes: number
  /** TPM_ALG_ID of the hash that names the key. */
  readonly nameHashId: number
  /** The one scheme that the key signs with; null where its user chooses. */
  readonly scheme: { readonly name: 'rsassa' | 'rsapss' | 'ecdsa'; readonly hashId: number } | null
  readonly jwk: PublicJwk
  /** TPM_ALG_ID of the name's hash, then the hash over the public area: 34 to 66 bytes. */
  readonly name: Uint8Array
}

/**
 * Reads the public area of an RSA or ECC key that signs.
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_EVIDENCE_UNSUPPORTED` for other types, schemes,
 * curves and hashes
 * @see TPM 2.0 Library, Part 2, §12.2.4 (TPMT_PUBLIC); Part 1, §16 (names)
 */
export function parsePublicArea(bytes: Uint8Array): TpmSigningKey {
  const reader = tpmReader(bytes, 'TPMT_PUBLIC')
  const type = reader.u16()
  const nameHashId = reader.u16()
  const attributes = reader.u32()
  readSized(reader, digestMaxSizeBytes, 'authPolicy')
  if (type !== tpmAlgorithms.rsa && type !== tpmAlgorithms.ecc) {
    throw unsupported(`a key of type 0x${type.toString(16)} signs no quotes here`)
  }
  // Only keys that encrypt have a cipher of their own.
  if (reader.u16() !== tpmAlgorithms.null) throw unsupported('a key that encrypts signs no quotes here')
  const scheme = readScheme(reader)
  const jwk = type === tpmAlgorithms.rsa ? readRsa(reader) : readEcc(reader)
  reader.end()
  const name = concatBytes(
    Uint8Array.of(nameHashId >> 8, nameHashId & 0xff),
    requireHash(nameHashId, 'the name of a key').digest(bytes),
  )
  return { attributes, nameHashId, scheme, jwk, name }
}

function readScheme(reader: ByteReader): TpmSigningKey['scheme'] {
  const id = reader.u16()
  if (id === tpmAlgorithms.null) return null
  const name = signatureSchemes[id]
  if (name === undefined) throw unsupported(`a key with scheme 0x${id.toString(16)} signs no quotes here`)
  return { name, hashId: reader.u16() }
}

function readRsa(reader: ByteReader): PublicJwk {
  const bits = reader.u16()
  const exponent = reader.u32()
  // Zero stands for the usual one (Part 2, TPMS_RSA_PARMS).
  if (exponent !== 0 && exponent !== 65_537) throw unsupported('the exponent of an RSA key is not 65537')
  const modulus = readSized(reader, rsaMaxSizeBytes, 'the modulus')
  if (8 * modulus.length !== bits)
    reader.refuse(`a modulus of ${modulus.length} bytes is said to have ${bits} bits`)
  return { kty: 'RSA', n: toBase64Url(modulus), e: 'AQAB' }
}

function readEcc(reader: ByteReader): PublicJwk {
  const curveId = reader.u16()
  const curve = tpmCurves.find(({ id }) => id === curveId)
  if (curve === undefined) throw unsupported(`curve 0x${curveId.toString(16)} is not verified here`)
  if (reader.u16() !== tpmAlgorithms.null) throw unsupported('a key that derives others signs no quotes here')
  const coordinate = () => {
    const bytes = readSized(reader, coordinateMaxSizeBytes, 'a coordinate')
    const whole = padNumber(bytes, curve.coordinateSizeBytes)
    return toBase64Url(whole ?? reader.refuse('a coordinate is zero or too long'))
  }
  return { kty: 'EC', crv: curve.webCryptoName, x: coordinate(), y: coordinate() }
}

/**
 * Holds a key against what makes its quotes worth anything: it was made inside this TPM, cannot leave it, and signs only
 * what the TPM itself has made up. A key without the last would sign any bytes that look like a quote.
 * @throws AttestationError `ATTESTATION_EVIDENCE_UNSUPPORTED`
 * @see TPM 2.0 Library, Part 2, §8.3 (TPMA_OBJECT)
 */
export function assertAttestationKey({ attributes, scheme }: TpmSigningKey): void {
  const { decrypt, ...required } = attributeBits
  const lacking = Object.entries(required).find(([, bit]) => (attributes & bit) === 0)
  if (lacking !== undefined) throw unsupported(`the key is no attestation key: ${lacking[0]} is not set`)
  if ((attributes & decrypt) !== 0) throw unsupported('the key is no attestation key: decrypt is set')
  if (scheme === null) throw unsupported('the key is no attestation key: it has no scheme of its own')
}
