// SPDX-License-Identifier: Apache-2.0
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as nobleSha256, sha384 as nobleSha384, sha512 as nobleSha512 } from '@noble/hashes/sha2.js'
import { unsharedBytes } from '../encoding/bytes.ts'
import { utf8Bytes } from '../encoding/text.ts'
import { CryptoError } from '../errors.ts'
import { expose, type Secret } from '../secret/secret.ts'

interface Hasher {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
}

function hashParts(hasher: Hasher, parts: readonly Uint8Array[]): Uint8Array {
  for (const part of parts) hasher.update(part)
  return hasher.digest()
}

/** SHA-256 (FIPS 180-4) of the concatenation. Synchronous: receipts are hashed in the path of a query. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return hashParts(nobleSha256.create(), parts)
}

/** SHA-384 of the concatenation. */
export function sha384(...parts: readonly Uint8Array[]): Uint8Array {
  return hashParts(nobleSha384.create(), parts)
}

/** SHA-512 of the concatenation. */
export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return hashParts(nobleSha512.create(), parts)
}

/** SHA-256 over bytes that come in pieces. `digest` ends it. */
export interface Sha256Stream {
  update(bytes: Uint8Array): Sha256Stream
  digest(): Uint8Array
}

export function createSha256(): Sha256Stream {
  const hasher = nobleSha256.create()
  const stream: Sha256Stream = {
    update(bytes) {
      hasher.update(bytes)
      return stream
    },
    digest: () => hasher.digest(),
  }
  return stream
}

/** SHA-256 by the platform's own code, several times faster than `sha256` for pages; for many bytes off the query path. */
export async function sha256Async(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', unsharedBytes(bytes)))
}

const domainPrefix = 'mlcapsule/v1/'
const domains = new Map<string, Uint8Array>()
const labelPattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/

/**
 * D(label): one byte of length, then `mlcapsule/v1/` and the label in ASCII. Every hash, signature, key and piece of
 * associated data starts with one, so that bytes made for one purpose mean nothing to another.
 * @param label lower-case words joined by hyphens; fixed in the code, never from outside
 */
export function domain(label: string): Uint8Array {
  const known = domains.get(label)
  if (known !== undefined) return known.slice()
  const text = domainPrefix + label
  if (!labelPattern.test(label) || text.length > 255) {
    const detail = 'a domain label is lower-case words joined by hyphens, at most 242 characters'
    throw new CryptoError('SEAL_INPUT_INVALID', detail, { field: 'label' })
  }
  const bytes = new Uint8Array(1 + text.length)
  bytes[0] = text.length
  bytes.set(utf8Bytes(text), 1)
  domains.set(label, bytes)
  return bytes.slice()
}

/** H(label, x) = SHA-256(D(label) ‖ x), x being the concatenation of the parts. */
export function labeledHash(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(domain(label), ...parts)
}

/** HMAC-SHA256 (RFC 2104) of the concatenation. */
export function hmacSha256(key: Secret<'hmac-key'>, ...parts: readonly Uint8Array[]): Uint8Array {
  return hashParts(hmac.create(nobleSha256, expose(key, 'hmac-key')), parts)
}
