// SPDX-License-Identifier: Apache-2.0
import sodium from 'libsodium-wrappers'
import { CryptoError } from '../errors.ts'

let loaded = false

/** Resolves when signatures can be made and checked. Await it once at every entry point. */
export async function cryptoReady(): Promise<void> {
  await sodium.ready
  loaded = true
}

/** The loaded library. @throws CryptoError `SIGNATURE_NOT_READY` */
export function readySodium(): typeof sodium {
  if (!loaded) throw new CryptoError('SIGNATURE_NOT_READY', 'await cryptoReady() before the first signature')
  return sodium
}
