// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../encoding/text.ts'
import { nodeAead } from '../node/node-aead.ts'
import type { AeadKeyKind } from '../secret/kinds.ts'
import { Secret, wipe } from '../secret/secret.ts'
import { openAead, openAeadInto, sealAead } from './aead.ts'
import type { AeadProvider } from './provider.ts'
import { webCryptoAead } from './webcrypto-provider.ts'

const openFailed: unknown = expect.objectContaining({ code: 'SEAL_OPEN_FAILED' })

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16.
const zeroKey = '00'.repeat(32)
const knownAnswers: readonly (readonly [string, string, string, string, string, string])[] = [
  ['13', zeroKey, '00'.repeat(12), '', '', '530f8afbc74536b9a963b4f1c4cb738b'],
  [
    '14',
    zeroKey,
    '00'.repeat(12),
    '',
    '00'.repeat(16),
    'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
  ],
  [
    '16',
    'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
    'cafebabefacedbaddecaf888',
    'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
  ],
]

function pageKey(hex: string): Secret<AeadKeyKind> {
  return Secret.fromBytes('page-key', fromHex(hex))
}

function suite(provider: AeadProvider): void {
  const key = pageKey('01'.repeat(32))
  const nonce = new Uint8Array(12).fill(2)
  const associatedData = Uint8Array.of(3, 4)
  const plaintext = Uint8Array.from({ length: 100 }, (_, i) => i)
  const seal = (): Promise<Uint8Array> => sealAead({ key, nonce, associatedData, plaintext, provider })

  test.each(knownAnswers)('GCM test case %s', async (_, keyHex, nonceHex, aadHex, plainHex, sealedHex) => {
    const context = {
      key: pageKey(keyHex),
      nonce: fromHex(nonceHex),
      associatedData: fromHex(aadHex),
      provider,
    }
    expect(toHex(await sealAead({ ...context, plaintext: fromHex(plainHex) }))).toBe(sealedHex)
    expect(toHex(await openAead({ ...context, sealed: fromHex(sealedHex) }))).toBe(plainHex)
  })

  test('round trip of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        fc.uint8Array({ maxLength: 60 }),
        async (plain, aad) => {
          const context = { key, nonce, associatedData: aad, provider }
          const sealed = await sealAead({ ...context, plaintext: plain })
          expect(sealed.length).toBe(plain.length + 16)
          expect(await openAead({ ...context, sealed })).toEqual(plain)
        },
      ),
      { numRuns: 40 },
    )
  })

  test('any change is refused and writes nothing', async () => {
    const sealed = await seal()
    const attempts: (() => Promise<number>)[] = []
    const destination = new Uint8Array(200).fill(0xee)
    const flip = (bytes: Uint8Array, at: number): Uint8Array => {
      const changed = bytes.slice()
      changed[at] = (changed[at] as number) ^ 1
      return changed
    }
    const good = { key, nonce, associatedData, sealed, provider }
    for (let at = 0; at < sealed.length; at++) {
      attempts.push(() => openAeadInto(destination, { ...good, sealed: flip(sealed, at) }))
    }
    attempts.push(() => openAeadInto(destination, { ...good, nonce: flip(nonce, 11) }))
    attempts.push(() => openAeadInto(destination, { ...good, associatedData: flip(associatedData, 0) }))
    attempts.push(() => openAeadInto(destination, { ...good, associatedData: new Uint8Array(0) }))
    attempts.push(() => openAeadInto(destination, { ...good, key: pageKey('02'.repeat(32)) }))
    attempts.push(() => openAeadInto(destination, { ...good, sealed: sealed.subarray(1) }))
    attempts.push(() => openAeadInto(destination, { ...good, sealed: sealed.subarray(0, 15) }))
    attempts.push(() => openAeadInto(destination, { ...good, sealed: new Uint8Array(0) }))
    for (const attempt of attempts) await expect(attempt()).rejects.toThrowError(openFailed)
    expect(destination).toEqual(new Uint8Array(200).fill(0xee))
  })

  test('opens into the start of a larger buffer', async () => {
    const destination = new Uint8Array(120).fill(0xee)
    const sizeBytes = await openAeadInto(destination, {
      key,
      nonce,
      associatedData,
      sealed: await seal(),
      provider,
    })
    expect(sizeBytes).toBe(100)
    expect(destination.subarray(0, 100)).toEqual(plaintext)
    expect(destination.subarray(100)).toEqual(new Uint8Array(20).fill(0xee))
  })

  test('shared memory on both sides', async () => {
    const sealed = await seal()
    const shared = new Uint8Array(new SharedArrayBuffer(sealed.length))
    shared.set(sealed)
    const destination = new Uint8Array(new SharedArrayBuffer(100))
    await openAeadInto(destination, { key, nonce, associatedData, sealed: shared, provider })
    expect(destination.slice()).toEqual(plaintext)
  })

  test('no provider is handed memory that another thread can write', async () => {
    const shared = (bytes: Uint8Array): Uint8Array => {
      const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
      copy.set(bytes)
      return copy
    }
    const seen: Uint8Array[] = []
    const watched: AeadProvider = {
      name: 'watched',
      seal: (...inputs) => {
        seen.push(...inputs)
        return provider.seal(...inputs)
      },
      openInto: (destination, ...inputs) => {
        seen.push(...inputs)
        return provider.openInto(destination, ...inputs)
      },
    }
    const context = { key, nonce: shared(nonce), associatedData: shared(associatedData), provider: watched }
    const sealed = await sealAead({ ...context, plaintext: shared(plaintext) })
    expect(await openAead({ ...context, sealed: shared(sealed) })).toEqual(plaintext)
    expect(seen.map((bytes) => bytes.buffer instanceof ArrayBuffer)).toEqual(Array(8).fill(true))
  })

  test('sizes that cannot be', async () => {
    const invalid: unknown = expect.objectContaining({ code: 'SEAL_INPUT_INVALID' })
    const short = { key, nonce: nonce.subarray(1), associatedData, provider }
    await expect(sealAead({ ...short, plaintext })).rejects.toThrowError(invalid)
    await expect(openAead({ ...short, sealed: new Uint8Array(16) })).rejects.toThrowError(invalid)
    const small = new Uint8Array(99)
    const input = { key, nonce, associatedData, sealed: await seal(), provider }
    await expect(openAeadInto(small, input)).rejects.toThrowError(invalid)
  })

  test('a wiped key is refused', async () => {
    const wiped = pageKey('05'.repeat(32))
    wipe(wiped)
    const input = { key: wiped, nonce, associatedData, provider }
    const expected: unknown = expect.objectContaining({ code: 'KEY_WIPED' })
    await expect(sealAead({ ...input, plaintext })).rejects.toThrowError(expected)
    await expect(openAead({ ...input, sealed: new Uint8Array(32) })).rejects.toThrowError(expected)
  })

  test('a content key seals nothing', async () => {
    const contentKey = Secret.fromBytes('content-key', new Uint8Array(32))
    // @ts-expect-error only page, record and storage keys seal
    const attempt = sealAead({ key: contentKey, nonce, associatedData, plaintext, provider })
    await expect(attempt).rejects.toThrowError(expect.objectContaining({ code: 'KEY_KIND_MISMATCH' }))
  })
}

describe('AES-256-GCM by WebCrypto', () => suite(webCryptoAead))
describe('AES-256-GCM by Node', () => suite(nodeAead))
