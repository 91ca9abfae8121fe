// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { beforeAll, describe, expect, test } from 'vitest'
import { cryptoReady } from '../ed25519/sodium.ts'
import { concatBytes } from '../encoding/bytes.ts'
import { fromHex, toHex, utf8Bytes } from '../encoding/text.ts'
import { Secret, wipe } from '../secret/secret.ts'
import { generateReleaseKeyPair, openKeyRelease, releaseKeyPairFrom, sealKeyRelease } from './key-release.ts'

// RFC 9180 appendix A.1.1 (the KEM figures hold for every AEAD).
const skR: Uint8Array = fromHex('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8')
const pkR: Uint8Array = fromHex('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d')
const skE: Uint8Array = fromHex('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736')
const enc: Uint8Array = fromHex('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431')
const rfcInfo: Uint8Array = fromHex('4f6465206f6e2061204772656369616e2055726e')

// A second, bare reading of RFC 9180, sender's side, for the known answer: nothing of it is shared with the library.
function labeled(suiteId: Uint8Array, label: string, tail: Uint8Array): Uint8Array {
  return concatBytes(utf8Bytes('HPKE-v1'), suiteId, utf8Bytes(label), tail)
}

function labeledExtract(suiteId: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return extract(sha256, labeled(suiteId, label, ikm), salt)
}

function labeledExpand(
  suiteId: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  sizeBytes: number,
): Uint8Array {
  return expand(
    sha256,
    prk,
    concatBytes(Uint8Array.of(0, sizeBytes), labeled(suiteId, label, info)),
    sizeBytes,
  )
}

function referenceSharedSecret(): Uint8Array {
  const privateKey = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), skE]),
    format: 'der',
    type: 'pkcs8',
  })
  const publicKey = createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), pkR]),
    format: 'der',
    type: 'spki',
  })
  const dh = new Uint8Array(diffieHellman({ privateKey, publicKey }))
  const kemSuite = concatBytes(utf8Bytes('KEM'), Uint8Array.of(0, 0x20))
  const prk = labeledExtract(kemSuite, new Uint8Array(0), 'eae_prk', dh)
  return labeledExpand(kemSuite, prk, 'shared_secret', concatBytes(enc, pkR), 32)
}

function referenceSchedule(aeadId: 1 | 2): { key: Uint8Array; nonce: Uint8Array } {
  const suiteId = concatBytes(utf8Bytes('HPKE'), Uint8Array.of(0, 0x20, 0, 1, 0, aeadId))
  const none = new Uint8Array(0)
  const pskIdHash = labeledExtract(suiteId, none, 'psk_id_hash', none)
  const infoHash = labeledExtract(suiteId, none, 'info_hash', rfcInfo)
  const context = concatBytes(Uint8Array.of(0), pskIdHash, infoHash)
  const secret = labeledExtract(suiteId, referenceSharedSecret(), 'secret', none)
  return {
    key: labeledExpand(suiteId, secret, 'key', context, aeadId === 1 ? 16 : 32),
    nonce: labeledExpand(suiteId, secret, 'base_nonce', context, 12),
  }
}

beforeAll(cryptoReady)

describe('key release', () => {
  const recipient = Secret.fromBytes('x25519-private', skR)

  test('the reference reading reproduces RFC 9180 A.1.1', () => {
    expect(toHex(referenceSharedSecret())).toBe(
      'fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc',
    )
    const { key, nonce } = referenceSchedule(1)
    expect(toHex(key)).toBe('4531685d41d65f03dc48f6b8302c05b0')
    expect(toHex(nonce)).toBe('56d890e5accaaf011cff4b7d')
  })

  test('opens what the reference reading seals with AES-256-GCM', async () => {
    const { key, nonce } = referenceSchedule(2)
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    const ciphertext = new Uint8Array(
      Buffer.concat([cipher.update('content key'), cipher.final(), cipher.getAuthTag()]),
    )
    expect(await openKeyRelease(recipient, enc, rfcInfo, ciphertext)).toEqual(utf8Bytes('content key'))
  })

  test('public key of a private key', () => {
    expect(releaseKeyPairFrom(recipient).publicKey).toEqual(pkR)
  })

  test('round trip, fresh on each call', async () => {
    const pair = generateReleaseKeyPair()
    const info = utf8Bytes('info')
    const one = await sealKeyRelease(pair.publicKey, info, utf8Bytes('secret'))
    const two = await sealKeyRelease(pair.publicKey, info, utf8Bytes('secret'))
    expect(one.enc).not.toEqual(two.enc)
    expect(one.ciphertext.length).toBe(6 + 16)
    expect(await openKeyRelease(pair.privateKey, one.enc, info, one.ciphertext)).toEqual(utf8Bytes('secret'))
  })

  test('anything else is refused with one code', async () => {
    const pair = generateReleaseKeyPair()
    const info = utf8Bytes('info')
    const sealed = await sealKeyRelease(pair.publicKey, info, utf8Bytes('secret'))
    const changed = sealed.ciphertext.slice()
    changed[0] = (changed[0] as number) ^ 1
    const zero = new Uint8Array(32)
    const attempts = [
      () => openKeyRelease(generateReleaseKeyPair().privateKey, sealed.enc, info, sealed.ciphertext),
      () => openKeyRelease(pair.privateKey, sealed.enc, utf8Bytes('other'), sealed.ciphertext),
      () => openKeyRelease(pair.privateKey, sealed.enc, info, changed),
      () => openKeyRelease(pair.privateKey, sealed.enc, info, sealed.ciphertext.subarray(0, 15)),
      () => openKeyRelease(pair.privateKey, sealed.enc, info, new Uint8Array(0)),
      () => openKeyRelease(pair.privateKey, generateReleaseKeyPair().publicKey, info, sealed.ciphertext),
      () => openKeyRelease(pair.privateKey, sealed.enc.subarray(1), info, sealed.ciphertext),
      () => openKeyRelease(pair.privateKey, zero, info, sealed.ciphertext),
    ]
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toThrowError(expect.objectContaining({ code: 'SEAL_OPEN_FAILED' }))
    }
  })

  test.each([
    ['zero, of small order', new Uint8Array(32)],
    ['one, of small order', Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))],
    ['31 bytes', new Uint8Array(31).fill(9)],
    ['33 bytes', new Uint8Array(33).fill(9)],
  ])('does not seal to a public key that is %s', async (_, publicKey) => {
    await expect(sealKeyRelease(publicKey, new Uint8Array(0), utf8Bytes('x'))).rejects.toThrowError(
      expect.objectContaining({ code: 'KEY_INVALID', field: 'recipientPublicKey' }),
    )
  })

  test('bounds and wiped keys', async () => {
    const pair = generateReleaseKeyPair()
    await expect(
      sealKeyRelease(pair.publicKey, new Uint8Array(0), new Uint8Array(65_537)),
    ).rejects.toThrowError(expect.objectContaining({ code: 'SEAL_INPUT_INVALID' }))
    wipe(pair.privateKey)
    await expect(openKeyRelease(pair.privateKey, enc, rfcInfo, new Uint8Array(32))).rejects.toThrowError(
      expect.objectContaining({ code: 'KEY_WIPED' }),
    )
  })
})
