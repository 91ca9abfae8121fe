// SPDX-License-Identifier: Apache-2.0
import { CryptoError, parsePublicKey, publicKeyFromJwk } from '@mlcapsule/crypto'
import { ClientError } from '../errors.ts'
import { readSmallFile } from './files.ts'

const jwkMaxSizeBytes = 4096

/**
 * A public key as users give it: the path of a JSON Web Key, or its `x` itself (43 characters of base64url).
 * @throws ClientError `CLIENT_KEY_FILE_INVALID`, `CLIENT_FILE_UNREADABLE`, `CLIENT_FILE_INVALID`
 */
export async function readPublicKey(keyOrPath: string): Promise<Uint8Array> {
  const isKey = /^[A-Za-z0-9_-]{43}$/.test(keyOrPath)
  const text = isKey ? keyOrPath : new TextDecoder().decode(await readSmallFile(keyOrPath, jwkMaxSizeBytes))
  try {
    return isKey ? parsePublicKey(text) : publicKeyFromJwk(text)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    const field = isKey ? 'key' : keyOrPath
    throw new ClientError('CLIENT_KEY_FILE_INVALID', `${field}: ${error.message}`, { field })
  }
}
