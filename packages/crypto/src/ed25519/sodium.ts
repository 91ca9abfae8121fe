// SPDX-License-Identifier: Apache-2.0
import sodium from 'libsodium-wrappers'
import { CryptoError } from '../errors.ts'

let loaded = false

/**
 * Resolves when signatures can be made and checked. Await it once at every entry point.
 * @throws CryptoError `CRYPTO_UNAVAILABLE` where WebCrypto or WebAssembly is missing, or forbidden by a page's policy
 */
export async function cryptoReady(): Promise<void> {
  // There only in secure contexts (W3C Web Cryptography, section 10), whatever its type says.
  if ((globalThis.crypto as Crypto | undefined)?.subtle === undefined) {
    throw new CryptoError('CRYPTO_UNAVAILABLE', 'there is no WebCrypto here')
  }
  try {
    await sodium.ready
  } catch (cause) {
    throw new CryptoError('CRYPTO_UNAVAILABLE', 'libsodium, which is WebAssembly, did not start', { cause })
  }
  loaded = true
}

/** The loaded library. @throws CryptoError `SIGNATURE_NOT_READY` */
export function readySodium(): typeof sodium {
  if (!loaded) throw new CryptoError('SIGNATURE_NOT_READY', 'await cryptoReady() before the first signature')
  return sodium
}
