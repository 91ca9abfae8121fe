// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url, toBase64Url } from '../encoding/text.ts'
import { CryptoError } from '../errors.ts'
import { keyThumbprint, publicKeySizeBytes } from './ed25519.ts'

/** An Ed25519 public key as a JSON Web Key (RFC 8037), for others to read: one line, with its thumbprint as `kid`. */
export function publicKeyToJwk(publicKey: Uint8Array): string {
  const kid = keyThumbprint(publicKey)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(publicKey), kid, use: 'sig' }
  return `${JSON.stringify(jwk)}\n`
}

/**
 * An Ed25519 public key from a JSON Web Key. Members that it has besides are left alone; a `kid` has to be the thumbprint.
 * @returns 32 bytes
 * @throws CryptoError `KEY_INVALID`
 */
export function publicKeyFromJwk(text: string): Uint8Array {
  const { kty, crv, x, kid } = parseObject(text)
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string') {
    throw invalid('expected a JSON Web Key with kty OKP, crv Ed25519 and x')
  }
  const publicKey = parsePublicKey(x)
  if (kid !== undefined && kid !== keyThumbprint(publicKey)) throw invalid('kid is not the thumbprint of x')
  return publicKey
}

/** An Ed25519 public key from 43 characters of base64url. @throws CryptoError `KEY_INVALID` */
export function parsePublicKey(text: string): Uint8Array {
  try {
    const publicKey = fromBase64Url(text)
    if (publicKey.length === publicKeySizeBytes) return publicKey
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
  }
  throw invalid(`expected ${publicKeySizeBytes} bytes as canonical base64url`)
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Said below.
  }
  throw invalid('expected a public key as a JSON Web Key')
}

function invalid(detail: string): CryptoError {
  return new CryptoError('KEY_INVALID', detail, { field: 'publicKey' })
}
