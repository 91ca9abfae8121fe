// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@mlcapsule/crypto'

/** A key as a SubjectPublicKeyInfo, or as its point: x ‖ y, 64 bytes. */
export type P256Key = { readonly spki: Uint8Array<ArrayBuffer> } | { readonly point: Uint8Array }

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }

/**
 * ECDSA over P-256 with SHA-256 (FIPS 186-5 §6.4).
 * @param signature r ‖ s, 64 bytes
 * @returns false also for what is no key on the curve
 */
export async function verifyP256(
  key: P256Key,
  signature: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const { subtle } = globalThis.crypto
  try {
    const imported =
      'spki' in key
        ? await subtle.importKey('spki', key.spki, algorithm, false, ['verify'])
        : await subtle.importKey('raw', concatBytes(Uint8Array.of(4), key.point), algorithm, false, [
            'verify',
          ])
    return await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, imported, signature, bytes)
  } catch {
    return false
  }
}
