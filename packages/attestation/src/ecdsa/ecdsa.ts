// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@mlcapsule/crypto'

/** Each curve with the hash that platforms sign with over it. */
const hashes = { 'P-256': 'SHA-256', 'P-384': 'SHA-384' } as const
export type EcdsaCurve = keyof typeof hashes

/** A key as a SubjectPublicKeyInfo, or as its point: x ‖ y. */
export type EcdsaKey = { readonly spki: Uint8Array<ArrayBuffer> } | { readonly point: Uint8Array }

/**
 * ECDSA over P-256 with SHA-256, or over P-384 with SHA-384 (FIPS 186-5 §6.4).
 * @param signature r ‖ s, big-endian, 64 or 96 bytes
 * @returns false also for what is no key on the curve
 */
export async function verifyEcdsa(
  curve: EcdsaCurve,
  key: EcdsaKey,
  signature: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const { subtle } = globalThis.crypto
  const algorithm = { name: 'ECDSA', namedCurve: curve }
  try {
    const imported =
      'spki' in key
        ? await subtle.importKey('spki', key.spki, algorithm, false, ['verify'])
        : await subtle.importKey('raw', concatBytes(Uint8Array.of(4), key.point), algorithm, false, [
            'verify',
          ])
    return await subtle.verify({ name: 'ECDSA', hash: hashes[curve] }, imported, signature, bytes)
  } catch {
    return false
  }
}
