// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@mlcapsule/crypto'
import { requireHash, type TpmCurve, type TpmHash, tpmAlgorithms, unsupported } from './algorithms.ts'
import { coordinateMaxSizeBytes, type PublicJwk, requireKey, rsaMaxSizeBytes } from './public-key.ts'
import { padNumber, readSized, tpmReader } from './sized.ts'

export type TpmSignature =
  | { readonly scheme: 'rsassa' | 'rsapss'; readonly hashId: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly scheme: 'ecdsa'; readonly hashId: number; readonly r: Uint8Array; readonly s: Uint8Array }

/**
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_EVIDENCE_UNSUPPORTED` for another scheme
 * @see TPM 2.0 Library, Part 2, §11.3.4 (TPMT_SIGNATURE)
 */
export function parseSignature(bytes: Uint8Array): TpmSignature {
  const reader = tpmReader(bytes, 'TPMT_SIGNATURE')
  const schemeId = reader.u16()
  const scheme = signatureSchemes[schemeId]
  if (scheme === undefined)
    throw unsupported(`signature scheme 0x${schemeId.toString(16)} is not verified here`)
  const hashId = reader.u16()
  const field = () => readSized(reader, coordinateMaxSizeBytes, 'a number of the signature')
  const signature: TpmSignature =
    scheme === 'ecdsa'
      ? { scheme, hashId, r: field(), s: field() }
      : { scheme, hashId, bytes: readSized(reader, rsaMaxSizeBytes, 'the signature') }
  reader.end()
  return signature
}

/** By TPM_ALG_ID. */
export const signatureSchemes: Readonly<Record<number, 'rsassa' | 'rsapss' | 'ecdsa'>> = {
  [tpmAlgorithms.rsassa]: 'rsassa',
  [tpmAlgorithms.rsapss]: 'rsapss',
  [tpmAlgorithms.ecdsa]: 'ecdsa',
}

/**
 * Whether the key made the signature over exactly these bytes.
 * @throws AttestationError `ATTESTATION_EVIDENCE_UNSUPPORTED` for SHA-1, for keys that are too small or of another kind
 * than the signature
 */
export async function isSignedBy(
  key: PublicJwk,
  signature: TpmSignature,
  signed: Uint8Array,
): Promise<boolean> {
  const hash = requireHash(signature.hashId, 'the signature')
  const data = new Uint8Array(signed)
  const { sizeBytes, curve } = requireKey(key)
  if (signature.scheme === 'ecdsa') {
    if (curve === null) throw unsupported('an ECDSA signature comes with an RSA key')
    return await isEcdsa(key, curve, hash, signature, data)
  }
  if (curve !== null) throw unsupported('an RSA signature comes with an ECC key')
  if (signature.bytes.length !== sizeBytes) return false
  if (signature.scheme === 'rsassa') {
    const name = 'RSASSA-PKCS1-v1_5'
    const imported = await importKey(key, { name, hash: hash.webCryptoName })
    return await crypto.subtle.verify(name, imported, signature.bytes, data)
  }
  const imported = await importKey(key, { name: 'RSA-PSS', hash: hash.webCryptoName })
  // Part 1, §B.7: as long as the hash where the TPM follows FIPS 186, as long as fits where it does not.
  for (const saltLength of [hash.sizeBytes, sizeBytes - hash.sizeBytes - 2]) {
    const algorithm = { name: 'RSA-PSS', saltLength }
    if (await crypto.subtle.verify(algorithm, imported, signature.bytes, data)) return true
  }
  return false
}

async function isEcdsa(
  key: PublicJwk,
  curve: TpmCurve,
  hash: TpmHash,
  { r, s }: { readonly r: Uint8Array; readonly s: Uint8Array },
  data: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const numbers = [r, s].map((it) => padNumber(it, curve.coordinateSizeBytes))
  if (numbers.some((it) => it === null)) return false
  const imported = await importKey(key, { name: 'ECDSA', namedCurve: curve.webCryptoName })
  const algorithm = { name: 'ECDSA', hash: hash.webCryptoName }
  return await crypto.subtle.verify(algorithm, imported, concatBytes(...(numbers as Uint8Array[])), data)
}

async function importKey(
  key: PublicJwk,
  algorithm: RsaHashedImportParams | EcKeyImportParams,
): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey('jwk', { ...key }, algorithm, false, ['verify'])
  } catch {
    // A point that is not on the curve, or an even modulus.
    throw unsupported('the key is not one that signatures can be verified with')
  }
}
