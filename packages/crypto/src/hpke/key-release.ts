// SPDX-License-Identifier: Apache-2.0
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { readySodium } from '../ed25519/sodium.ts'
import { concatBytes, randomBytes, unsharedBytes } from '../encoding/bytes.ts'
import { fromHex } from '../encoding/text.ts'
import { CryptoError } from '../errors.ts'
import { expose, Secret, wipe } from '../secret/secret.ts'

/** Size of an X25519 public key, and of `enc`. */
export const releaseKeySizeBytes = 32

const maxPlaintextSizeBytes = 65_536

/** An X25519 key pair, for one key release. */
export interface ReleaseKeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly privateKey: Secret<'x25519-private'>
}

/** What travels to the holder of the private key. */
export interface SealedKeyRelease {
  /** The sender's ephemeral public key, 32 bytes. */
  readonly enc: Uint8Array
  /** Ciphertext followed by a 16-byte tag. */
  readonly ciphertext: Uint8Array
}

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
})

// PrivateKeyInfo of RFC 8410 §7 up to the 32 key bytes.
const pkcs8Prefix = fromHex('302e020100300506032b656e04220420')

/** @throws CryptoError `SIGNATURE_NOT_READY` */
export function generateReleaseKeyPair(): ReleaseKeyPair {
  const bytes = randomBytes(32)
  const privateKey = Secret.fromBytes('x25519-private', bytes)
  wipe(bytes)
  return releaseKeyPairFrom(privateKey)
}

/** The pair of a private key that was loaded from where it is kept. */
export function releaseKeyPairFrom(privateKey: Secret<'x25519-private'>): ReleaseKeyPair {
  const publicKey = readySodium().crypto_scalarmult_base(expose(privateKey, 'x25519-private'))
  return { publicKey, privateKey }
}

async function importPublicKey(publicKey: Uint8Array): Promise<CryptoKey> {
  return await globalThis.crypto.subtle.importKey('raw', unsharedBytes(publicKey), 'X25519', true, [])
}

// Imported here, as bytes and not extractable: the library's own way goes through a JWK, whose key is a string.
async function importPrivateKey(privateKey: Secret<'x25519-private'>): Promise<CryptoKey> {
  const pkcs8 = concatBytes(pkcs8Prefix, expose(privateKey, 'x25519-private'))
  try {
    return await globalThis.crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits'])
  } finally {
    wipe(pkcs8)
  }
}

/**
 * HPKE base mode (RFC 9180 §5.1.1, §6.1): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, empty `aad`.
 * @param info bound into the key schedule; both sides rebuild it
 * @throws CryptoError `KEY_INVALID` for a public key of small order or another size; `SEAL_INPUT_INVALID`
 */
export async function sealKeyRelease(
  recipientPublicKey: Uint8Array,
  info: Uint8Array,
  plaintext: Uint8Array,
): Promise<SealedKeyRelease> {
  if (plaintext.length > maxPlaintextSizeBytes) {
    const detail = `a key release holds at most ${maxPlaintextSizeBytes} bytes, got ${plaintext.length}`
    throw new CryptoError('SEAL_INPUT_INVALID', detail, { field: 'plaintext' })
  }
  try {
    const publicKey = await importPublicKey(recipientPublicKey)
    const sender = await suite.createSenderContext({
      recipientPublicKey: publicKey,
      info: unsharedBytes(info),
    })
    const ciphertext = await sender.seal(unsharedBytes(plaintext))
    return { enc: new Uint8Array(sender.enc), ciphertext: new Uint8Array(ciphertext) }
  } catch (cause) {
    throw new CryptoError('KEY_INVALID', "the recipient's X25519 key cannot be used", {
      field: 'recipientPublicKey',
      cause,
    })
  }
}

/**
 * Opens what `sealKeyRelease` made. The caller wipes the plaintext.
 * @throws CryptoError `SEAL_OPEN_FAILED` for wrong key, `enc`, info or bytes, deliberately not told apart
 */
export async function openKeyRelease(
  privateKey: Secret<'x25519-private'>,
  enc: Uint8Array,
  info: Uint8Array,
  ciphertext: Uint8Array,
): Promise<Uint8Array> {
  const recipient = releaseKeyPairFrom(privateKey)
  const secretKey = await importPrivateKey(privateKey)
  try {
    if (enc.length !== releaseKeySizeBytes) throw new RangeError('enc has another size')
    const recipientKey = { privateKey: secretKey, publicKey: await importPublicKey(recipient.publicKey) }
    const context = await suite.createRecipientContext({
      recipientKey,
      enc: unsharedBytes(enc),
      info: unsharedBytes(info),
    })
    return new Uint8Array(await context.open(unsharedBytes(ciphertext)))
  } catch {
    throw new CryptoError('SEAL_OPEN_FAILED', 'the key release did not open')
  }
}
