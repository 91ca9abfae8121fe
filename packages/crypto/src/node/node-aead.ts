// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { type AeadProvider, aeadTagSizeBytes } from '../aead/provider.ts'

const cipherName = 'aes-256-gcm'
const options = { authTagLength: aeadTagSizeBytes }

/** AES-256-GCM by Node's OpenSSL: the same bytes as WebCrypto, without its thread hand-over per call. */
export const nodeAead: AeadProvider = {
  name: 'node',

  seal(key, nonce, associatedData, plaintext) {
    const cipher = createCipheriv(cipherName, key, nonce, options)
    cipher.setAAD(associatedData)
    const sealed = new Uint8Array(plaintext.length + aeadTagSizeBytes)
    sealed.set(cipher.update(plaintext))
    cipher.final()
    sealed.set(cipher.getAuthTag(), plaintext.length)
    return Promise.resolve(sealed)
  },

  openInto(destination, key, nonce, associatedData, sealed) {
    const sizeBytes = sealed.length - aeadTagSizeBytes
    const decipher = createDecipheriv(cipherName, key, nonce, options)
    decipher.setAAD(associatedData)
    decipher.setAuthTag(sealed.subarray(sizeBytes))
    const plaintext = decipher.update(sealed.subarray(0, sizeBytes))
    try {
      decipher.final()
    } catch {
      plaintext.fill(0)
      return Promise.resolve(false)
    }
    destination.set(plaintext)
    plaintext.fill(0)
    return Promise.resolve(true)
  },
}
