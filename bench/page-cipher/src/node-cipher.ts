// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { associatedData, type Contender, keyBytes, nonceBytes } from './contender.ts'

const nonce = nonceBytes.subarray(0, 12)

/** OpenSSL through node:crypto, synchronous, on the calling thread. */
export const nodeCipher: Contender = {
  name: 'AES-256-GCM, node:crypto',
  family: 'aes-256-gcm',
  inFlight: 1,
  seal(page) {
    const cipher = createCipheriv('aes-256-gcm', keyBytes, nonce)
    cipher.setAAD(associatedData)
    const sealed = new Uint8Array(page.length + 16)
    sealed.set(cipher.update(page))
    cipher.final()
    sealed.set(cipher.getAuthTag(), page.length)
    return sealed
  },
  open(sealed) {
    const decipher = createDecipheriv('aes-256-gcm', keyBytes, nonce)
    decipher.setAAD(associatedData)
    decipher.setAuthTag(sealed.subarray(-16))
    const page = decipher.update(sealed.subarray(0, -16))
    decipher.final()
    return page
  },
}
