// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { fromBase64Url, fromHex, toHex } from '../encoding/text.ts'
import { expose } from '../secret/secret.ts'
import {
  assertKeyPair,
  generateSigningKeyPair,
  keyThumbprint,
  signDetached,
  signingKeyPairFrom,
  verifyDetached,
} from './ed25519.ts'
import { cryptoReady } from './sodium.ts'

// RFC 8032 §7.1, tests 1 to 3: seed, public key, message, signature.
const knownAnswers: readonly (readonly [string, string, string, string])[] = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
]

// Runs first: the library is loaded by the tests below.
test('before it is ready, a coded error', () => {
  expect(() => generateSigningKeyPair()).toThrowError(
    expect.objectContaining({ code: 'SIGNATURE_NOT_READY' }),
  )
})

describe('Ed25519', () => {
  test.each(knownAnswers)('RFC 8032, seed %s', async (seedHex, publicHex, messageHex, signatureHex) => {
    await cryptoReady()
    const pair = generateSigningKeyPair(fromHex(seedHex))
    expect(toHex(pair.publicKey)).toBe(publicHex)
    const signature = signDetached(pair.privateKey, fromHex(messageHex))
    expect(toHex(signature)).toBe(signatureHex)
    expect(verifyDetached(pair.publicKey, fromHex(messageHex), signature)).toBe(true)
  })

  test('a changed message, signature or key does not verify', async () => {
    await cryptoReady()
    const pair = generateSigningKeyPair()
    const message = Uint8Array.of(1, 2, 3)
    const signature = signDetached(pair.privateKey, message)
    expect(verifyDetached(pair.publicKey, Uint8Array.of(1, 2, 4), signature)).toBe(false)
    expect(verifyDetached(generateSigningKeyPair().publicKey, message, signature)).toBe(false)
    for (let at = 0; at < 64; at++) {
      const changed = signature.slice()
      changed[at] = (changed[at] as number) ^ 0x10
      expect(verifyDetached(pair.publicKey, message, changed)).toBe(false)
    }
  })

  test('other sizes do not verify', async () => {
    await cryptoReady()
    const { publicKey } = generateSigningKeyPair()
    expect(verifyDetached(publicKey, new Uint8Array(0), new Uint8Array(63))).toBe(false)
    expect(verifyDetached(publicKey, new Uint8Array(0), new Uint8Array(65))).toBe(false)
    expect(verifyDetached(publicKey.subarray(1), new Uint8Array(0), new Uint8Array(64))).toBe(false)
  })

  test('strict: S + L is refused', async () => {
    await cryptoReady()
    const [, publicHex, messageHex, signatureHex] = knownAnswers[1] as (typeof knownAnswers)[number]
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const signature = fromHex(signatureHex)
    let s = 0n
    for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(signature[i] as number)
    s += order
    for (let i = 32; i < 64; i++) {
      signature[i] = Number(s & 255n)
      s >>= 8n
    }
    expect(verifyDetached(fromHex(publicHex), fromHex(messageHex), signature)).toBe(false)
  })

  test('strict: a key of small order signs nothing', async () => {
    await cryptoReady()
    // The neutral element as key and R, S = 0: satisfies the bare equation for every message.
    const neutral = new Uint8Array(32)
    neutral[0] = 1
    const signature = new Uint8Array(64)
    signature[0] = 1
    expect(verifyDetached(neutral, Uint8Array.of(9), signature)).toBe(false)
  })

  test('the pair of a kept private key', async () => {
    await cryptoReady()
    const pair = generateSigningKeyPair()
    const again = signingKeyPairFrom(pair.privateKey)
    expect(again.publicKey).toEqual(pair.publicKey)
    expect(expose(again.privateKey, 'ed25519-private')).toEqual(expose(pair.privateKey, 'ed25519-private'))
    expect(() => assertKeyPair({ ...pair, publicKey: new Uint8Array(32) })).toThrowError(
      expect.objectContaining({ code: 'KEY_INVALID', field: 'publicKey' }),
    )
  })

  test('thumbprint, RFC 8037 appendix A.3', () => {
    const publicKey = fromBase64Url('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo')
    expect(keyThumbprint(publicKey)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
    expect(() => keyThumbprint(publicKey.subarray(1))).toThrowError(
      expect.objectContaining({ code: 'KEY_SIZE_INVALID' }),
    )
  })
})
