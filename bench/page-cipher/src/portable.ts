// SPDX-License-Identifier: Apache-2.0
import sodium from 'libsodium-wrappers'
import { associatedData, type Contender, keyBytes, nonceBytes } from './contender.ts'

async function webCrypto(inFlight: number): Promise<Contender> {
  const { subtle } = globalThis.crypto
  const key = await subtle.importKey('raw', keyBytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const algorithm = { name: 'AES-GCM', iv: nonceBytes.subarray(0, 12), additionalData: associatedData }
  return {
    name: `AES-256-GCM, WebCrypto, ${inFlight} in flight`,
    family: 'aes-256-gcm',
    inFlight,
    seal: async (page) =>
      new Uint8Array(await subtle.encrypt(algorithm, key, page as Uint8Array<ArrayBuffer>)),
    open: async (sealed) =>
      new Uint8Array(await subtle.decrypt(algorithm, key, sealed as Uint8Array<ArrayBuffer>)),
  }
}

async function libsodium(): Promise<Contender> {
  await sodium.ready
  return {
    name: 'XChaCha20-Poly1305, libsodium',
    family: 'xchacha20-poly1305',
    inFlight: 1,
    seal: (page) =>
      sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(page, associatedData, null, nonceBytes, keyBytes),
    open: (sealed) =>
      sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, sealed, associatedData, nonceBytes, keyBytes),
  }
}

/** What runs in Node and in browsers alike. The first is what the others are compared with. */
export async function portableContenders(): Promise<Contender[]> {
  return [await webCrypto(1), await webCrypto(4), await libsodium()]
}
