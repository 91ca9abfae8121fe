// SPDX-License-Identifier: Apache-2.0
import { CryptoError, parsePublicKey, publicKeyFromJwk } from '@mlcapsule/crypto'
import { ProviderError } from '../errors.ts'
import { readTextFile } from '../files/files.ts'

const jwkMaxSizeBytes = 4096

/**
 * A public key as users give it: the path of a JSON Web Key, or its `x` itself (43 characters of base64url).
 * @throws ProviderError `PROVIDER_KEY_FILE_INVALID`, `PROVIDER_FILE_UNREADABLE`, `PROVIDER_FILE_INVALID`
 */
export async function readPublicKey(keyOrPath: string): Promise<Uint8Array> {
  const isKey = /^[A-Za-z0-9_-]{43}$/.test(keyOrPath)
  const text = isKey ? keyOrPath : await readTextFile(keyOrPath, jwkMaxSizeBytes)
  try {
    return isKey ? parsePublicKey(text) : publicKeyFromJwk(text)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    const field = isKey ? 'key' : keyOrPath
    throw new ProviderError('PROVIDER_KEY_FILE_INVALID', `${field}: ${error.message}`, { field })
  }
}
