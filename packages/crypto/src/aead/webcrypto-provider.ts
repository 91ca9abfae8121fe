// SPDX-License-Identifier: Apache-2.0
import { wipe } from '../secret/secret.ts'
import { type AeadProvider, aeadTagSizeBytes } from './provider.ts'

type Bytes = Uint8Array<ArrayBuffer>

async function importKey(key: Bytes, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  return await globalThis.crypto.subtle.importKey('raw', key, 'AES-GCM', false, [usage])
}

function parameters(nonce: Bytes, associatedData: Bytes): AesGcmParams {
  return { name: 'AES-GCM', iv: nonce, additionalData: associatedData, tagLength: 8 * aeadTagSizeBytes }
}

/** AES-256-GCM by WebCrypto: there in every browser and every Node. */
export const webCryptoAead: AeadProvider = {
  name: 'webcrypto',

  async seal(key, nonce, associatedData, plaintext) {
    const cryptoKey = await importKey(key, 'encrypt')
    const algorithm = parameters(nonce, associatedData)
    return new Uint8Array(await globalThis.crypto.subtle.encrypt(algorithm, cryptoKey, plaintext))
  },

  async openInto(destination, key, nonce, associatedData, sealed) {
    const cryptoKey = await importKey(key, 'decrypt')
    const algorithm = parameters(nonce, associatedData)
    let plaintext: Uint8Array
    try {
      plaintext = new Uint8Array(await globalThis.crypto.subtle.decrypt(algorithm, cryptoKey, sealed))
    } catch (error) {
      if (error instanceof DOMException && error.name === 'OperationError') return false
      throw error
    }
    destination.set(plaintext)
    wipe(plaintext)
    return true
  },
}
