// SPDX-License-Identifier: Apache-2.0
import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  sign,
} from 'node:crypto'

// PrivateKeyInfo of RFC 8410 up to the 32 key bytes.
const pkcs8Prefix = {
  ed25519: '302e020100300506032b657004220420',
  x25519: '302e020100300506032b656e04220420',
}

function privateKeyOf(kind: keyof typeof pkcs8Prefix, hex: string) {
  return createPrivateKey({
    key: Buffer.from(pkcs8Prefix[kind] + hex, 'hex'),
    format: 'der',
    type: 'pkcs8',
  })
}

/** What OpenSSL answers, by way of Node, all in hex: a second opinion that shares no code with the packages. */
export const openssl = {
  hash: (name: string, hex: string): string => createHash(name).update(hex, 'hex').digest('hex'),
  hmacSha256: (keyHex: string, hex: string): string =>
    createHmac('sha256', Buffer.from(keyHex, 'hex')).update(hex, 'hex').digest('hex'),
  hkdfSha256: (keyHex: string, salt: string, infoHex: string): string =>
    Buffer.from(
      hkdfSync('sha256', Buffer.from(keyHex, 'hex'), salt, Buffer.from(infoHex, 'hex'), 32),
    ).toString('hex'),
  publicKey: (kind: keyof typeof pkcs8Prefix, hex: string): string =>
    createPublicKey(privateKeyOf(kind, hex))
      .export({ format: 'der', type: 'spki' })
      .toString('hex')
      .slice(-64),
  signEd25519: (seedHex: string, messageHex: string): string =>
    sign(null, Buffer.from(messageHex, 'hex'), privateKeyOf('ed25519', seedHex)).toString('hex'),
  /** AES-256-GCM: ciphertext and tag. */
  seal(keyHex: string, nonceHex: string, associatedData: Uint8Array, messageHex: string): string {
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(keyHex, 'hex'), Buffer.from(nonceHex, 'hex'))
    cipher.setAAD(associatedData)
    return cipher.update(messageHex, 'hex', 'hex') + cipher.final('hex') + cipher.getAuthTag().toString('hex')
  },
}

/** The CBOR of the probe's values, from appendix A of RFC 8949 where it has them. */
export const cborAnswers: readonly string[] = [
  '1b000000e8d4a51000',
  '1bffffffffffffffff',
  '3903e7',
  '4401020304',
  '63e6b0b4',
  '8301820203820405',
  'a201020304',
  'a26161016162820203',
  '82f5f6',
]
