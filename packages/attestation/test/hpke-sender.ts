// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createHmac, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { concatBytes, fromHex, type SealedKeyRelease, utf8Bytes } from '@mlcapsule/crypto'

// HPKE base mode (RFC 9180) written out once more, over Node's own primitives: a second opinion on the library that seals
// key releases, and, with the ephemeral key given, the same bytes each time.

const hmac = (key: Uint8Array, ...parts: Uint8Array[]) =>
  new Uint8Array(
    createHmac('sha256', key)
      .update(concatBytes(...parts))
      .digest(),
  )

function labeledExtract(suiteId: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return hmac(salt, utf8Bytes('HPKE-v1'), suiteId, utf8Bytes(label), ikm)
}

/** One block of HKDF-Expand: at most 32 bytes. */
function labeledExpand(
  suiteId: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  sizeBytes: number,
): Uint8Array {
  const labeled = concatBytes(
    Uint8Array.of(0, sizeBytes),
    utf8Bytes('HPKE-v1'),
    suiteId,
    utf8Bytes(label),
    info,
  )
  return hmac(prk, labeled, Uint8Array.of(1)).subarray(0, sizeBytes)
}

function privateKeyOf(raw: Uint8Array) {
  const der = concatBytes(fromHex('302e020100300506032b656e04220420'), raw)
  return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
}

function publicKeyOf(raw: Uint8Array) {
  const der = concatBytes(fromHex('302a300506032b656e032100'), raw)
  return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
}

/**
 * Seals with a given ephemeral key: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, empty associated data.
 * @param ephemeral X25519 private key, 32 bytes
 */
export function sealWithEphemeral(
  ephemeral: Uint8Array,
  recipient: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
): SealedKeyRelease {
  const empty = new Uint8Array()
  const privateKey = privateKeyOf(ephemeral)
  const enc = new Uint8Array(
    createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32),
  )
  const dh = new Uint8Array(diffieHellman({ privateKey, publicKey: publicKeyOf(recipient) }))
  const kem = concatBytes(utf8Bytes('KEM'), Uint8Array.of(0, 0x20))
  const eaePrk = labeledExtract(kem, empty, 'eae_prk', dh)
  const shared = labeledExpand(kem, eaePrk, 'shared_secret', concatBytes(enc, recipient), 32)
  const suite = concatBytes(utf8Bytes('HPKE'), Uint8Array.of(0, 0x20, 0, 1, 0, 2))
  const context = concatBytes(
    Uint8Array.of(0),
    labeledExtract(suite, empty, 'psk_id_hash', empty),
    labeledExtract(suite, empty, 'info_hash', info),
  )
  const secret = labeledExtract(suite, shared, 'secret', empty)
  const key = labeledExpand(suite, secret, 'key', context, 32)
  const nonce = labeledExpand(suite, secret, 'base_nonce', context, 12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const ciphertext = concatBytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
  return { enc, ciphertext }
}
