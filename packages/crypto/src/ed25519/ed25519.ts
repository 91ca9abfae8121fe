// SPDX-License-Identifier: Apache-2.0
import { equalBytes, randomBytes } from '../encoding/bytes.ts'
import { toBase64Url, utf8Bytes } from '../encoding/text.ts'
import { CryptoError } from '../errors.ts'
import { sha256 } from '../hash/hash.ts'
import { expose, Secret, wipe } from '../secret/secret.ts'
import { readySodium } from './sodium.ts'

/** Size of an Ed25519 public key. */
export const publicKeySizeBytes = 32
/** Size of an Ed25519 signature. */
export const signatureSizeBytes = 64

/** An Ed25519 key pair (RFC 8032). */
export interface SigningKeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly privateKey: Secret<'ed25519-private'>
}

/**
 * Makes a key pair.
 * @param seed 32 bytes: the RFC 8032 private key; random when absent. The caller wipes it.
 * @throws CryptoError `SIGNATURE_NOT_READY`, `KEY_SIZE_INVALID`
 */
export function generateSigningKeyPair(seed?: Uint8Array): SigningKeyPair {
  readySodium()
  const bytes = seed ?? randomBytes(32)
  const privateKey = Secret.fromBytes('ed25519-private', bytes)
  if (seed === undefined) wipe(bytes)
  return signingKeyPairFrom(privateKey)
}

/** The pair of a private key that was loaded from where it is kept. */
export function signingKeyPairFrom(privateKey: Secret<'ed25519-private'>): SigningKeyPair {
  const expanded = readySodium().crypto_sign_seed_keypair(expose(privateKey, 'ed25519-private'))
  wipe(expanded.privateKey)
  return { publicKey: expanded.publicKey, privateKey }
}

/** Pure Ed25519 (RFC 8032 §5.1.6). @returns 64 bytes */
export function signDetached(privateKey: Secret<'ed25519-private'>, message: Uint8Array): Uint8Array {
  const sodium = readySodium()
  const expanded = sodium.crypto_sign_seed_keypair(expose(privateKey, 'ed25519-private'))
  try {
    return sodium.crypto_sign_detached(message, expanded.privateKey)
  } finally {
    wipe(expanded.privateKey)
  }
}

/**
 * Strict check: besides RFC 8032 §5.1.7, refuses S ≥ L, keys of small order, and points that are not canonical, so that
 * all parties agree on what is signed. Wrong sizes give false.
 */
export function verifyDetached(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const sodium = readySodium()
  if (publicKey.length !== publicKeySizeBytes || signature.length !== signatureSizeBytes) return false
  return sodium.crypto_sign_verify_detached(signature, message, publicKey)
}

/**
 * Name of a public key: its RFC 7638 JWK thumbprint (RFC 8037 appendix A.3), SHA-256, base64url.
 * @throws CryptoError `KEY_SIZE_INVALID`
 */
export function keyThumbprint(publicKey: Uint8Array): string {
  return toBase64Url(keyThumbprintBytes(publicKey))
}

/** The same, as 32 bytes. */
export function keyThumbprintBytes(publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== publicKeySizeBytes) {
    const detail = `an Ed25519 public key has ${publicKeySizeBytes} bytes, got ${publicKey.length}`
    throw new CryptoError('KEY_SIZE_INVALID', detail, { field: 'publicKey' })
  }
  return sha256(utf8Bytes(`{"crv":"Ed25519","kty":"OKP","x":"${toBase64Url(publicKey)}"}`))
}

/** @throws CryptoError `KEY_INVALID` if the two keys were not made together */
export function assertKeyPair(pair: SigningKeyPair): void {
  const { publicKey } = signingKeyPairFrom(pair.privateKey)
  if (equalBytes(publicKey, pair.publicKey)) return
  throw new CryptoError('KEY_INVALID', 'the public key does not belong to the private key', {
    field: 'publicKey',
  })
}
