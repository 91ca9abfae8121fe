// SPDX-License-Identifier: Apache-2.0
import { concatBytes, randomBytes, uint32Bytes, utf8Bytes, wipe } from '@mlcapsule/crypto'
import { type TpmHash, unsupported } from './algorithms.ts'
import type { EkProtection, EndorsementKey } from './endorsement-key.ts'
import { toSized } from './sized.ts'

/** What a TPM opens by TPM2_ActivateCredential, if it holds both keys. */
export interface SealedCredential {
  /** TPMS_ID_OBJECT: HMAC in a TPM2B, then the encrypted secret. */
  readonly idObject: Uint8Array
  /** The seed, sealed to the endorsement key: TPMU_ENCRYPTED_SECRET. */
  readonly encryptedSecret: Uint8Array
}

/**
 * Seals a secret so that only a TPM opens it that has this endorsement key and, beside it, a key of exactly this name: the
 * verifier's half of TPM2_MakeCredential.
 * @param akName name of the attestation key
 * @param secret at most as long as the hash of the endorsement key
 * @throws AttestationError `ATTESTATION_EVIDENCE_UNSUPPORTED` for an endorsement key that is none
 * @see TPM 2.0 Library, Part 1, §24 (credential protection), §11.4.10 (KDFa, KDFe), annexes B.10.3 and C.6.1
 */
export async function makeCredential(
  { spki, protection }: EndorsementKey,
  akName: Uint8Array,
  secret: Uint8Array,
): Promise<SealedCredential> {
  const { hash, cipherKeyBits } = protection
  const { seed, encryptedSecret } = await sealSeed(spki, protection)
  const cipherKey = await kdfa(hash, seed, 'STORAGE', akName, cipherKeyBits)
  const integrityKey = await kdfa(hash, seed, 'INTEGRITY', new Uint8Array(), 8 * hash.sizeBytes)
  const plaintext = toSized(secret)
  try {
    const encrypted = await encryptCfb(cipherKey, plaintext)
    const integrity = await hmac(hash, integrityKey, concatBytes(encrypted, akName))
    return { idObject: concatBytes(toSized(integrity), encrypted), encryptedSecret }
  } finally {
    for (const it of [seed, cipherKey, integrityKey, plaintext]) wipe(it)
  }
}

interface SealedSeed {
  readonly seed: Uint8Array<ArrayBuffer>
  readonly encryptedSecret: Uint8Array
}

/** The label, with the zero that ends it. */
const identityLabel = utf8Bytes('IDENTITY\0')

async function sealSeed(spki: Uint8Array<ArrayBuffer>, protection: EkProtection): Promise<SealedSeed> {
  const { kind, hash } = protection
  if (kind !== 'rsa') return await agreeSeed(spki, kind, hash)
  const algorithm = { name: 'RSA-OAEP', hash: hash.webCryptoName }
  const key = await importEk(spki, algorithm, ['encrypt'])
  const seed = randomBytes(hash.sizeBytes)
  const sealed = await crypto.subtle.encrypt({ name: 'RSA-OAEP', label: identityLabel }, key, seed)
  return { seed, encryptedSecret: new Uint8Array(sealed) }
}

/** One-pass Diffie-Hellman: the seed is derived from what an ephemeral key agrees on with the endorsement key. */
async function agreeSeed(
  spki: Uint8Array<ArrayBuffer>,
  namedCurve: 'P-256' | 'P-384',
  hash: TpmHash,
): Promise<SealedSeed> {
  const algorithm = { name: 'ECDH', namedCurve }
  const ek = await importEk(spki, algorithm, [])
  const ephemeral = await crypto.subtle.generateKey(algorithm, true, ['deriveBits'])
  const [own, other] = await Promise.all([pointOf(ephemeral.publicKey), pointOf(ek)])
  const agreement = { name: 'ECDH', public: ek }
  const shared = new Uint8Array(
    await crypto.subtle.deriveBits(agreement, ephemeral.privateKey, 8 * own.x.length),
  )
  const block = concatBytes(uint32Bytes(1), shared, identityLabel, own.x, other.x)
  try {
    const seed = Uint8Array.from(hash.digest(block))
    return { seed, encryptedSecret: concatBytes(toSized(own.x), toSized(own.y)) }
  } finally {
    wipe(shared)
    wipe(block)
  }
}

async function importEk(
  spki: Uint8Array<ArrayBuffer>,
  algorithm: RsaHashedImportParams | EcKeyImportParams,
  uses: KeyUsage[],
): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey('spki', spki, algorithm, true, uses)
  } catch {
    throw unsupported('the endorsement key is not one that secrets can be sealed to')
  }
}

async function pointOf(key: CryptoKey): Promise<{ readonly x: Uint8Array; readonly y: Uint8Array }> {
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', key))
  const half = (raw.length - 1) / 2
  return { x: raw.slice(1, 1 + half), y: raw.slice(1 + half) }
}

async function hmac(hash: TpmHash, key: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>) {
  const algorithm = { name: 'HMAC', hash: hash.webCryptoName }
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data))
}

/** At most as many bits as the hash has: one round. */
async function kdfa(
  hash: TpmHash,
  key: Uint8Array<ArrayBuffer>,
  label: string,
  context: Uint8Array,
  bits: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const data = concatBytes(uint32Bytes(1), utf8Bytes(`${label}\0`), context, uint32Bytes(bits))
  return (await hmac(hash, key, data)).slice(0, bits / 8)
}

/** CFB with a zero vector, block by block: counter mode enciphers one block as CFB does, given the block before. */
async function encryptCfb(
  key: Uint8Array<ArrayBuffer>,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey('raw', key, 'AES-CTR', false, ['encrypt'])
  const encrypted = new Uint8Array(plaintext.length)
  let before = new Uint8Array(16)
  for (let at = 0; at < plaintext.length; at += 16) {
    const algorithm = { name: 'AES-CTR', counter: before, length: 128 }
    const block = plaintext.slice(at, at + 16)
    before = new Uint8Array(await crypto.subtle.encrypt(algorithm, imported, block))
    wipe(block)
    encrypted.set(before, at)
  }
  return encrypted
}
