// SPDX-License-Identifier: Apache-2.0

import fc from 'fast-check'
import { CompactSign, compactVerify, importJWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  generateSigningKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  signDetached,
} from '../ed25519/ed25519.ts'
import { cryptoReady } from '../ed25519/sodium.ts'
import { toBase64Url, utf8Bytes } from '../encoding/text.ts'
import { CryptoError } from '../errors.ts'
import { expose } from '../secret/secret.ts'
import { jwsMaxSizeBytes, signJws, verifyJws } from './jws.ts'

const typ = 'mlc-test+jwt'
let pair: SigningKeyPair
let other: SigningKeyPair

beforeAll(async () => {
  await cryptoReady()
  pair = generateSigningKeyPair(new Uint8Array(32).fill(1))
  other = generateSigningKeyPair(new Uint8Array(32).fill(2))
})

/** Signs any header and payload text, as a hostile holder of the key could. */
function forge(header: string, payload: string, key: SigningKeyPair = pair): string {
  const signed = `${toBase64Url(utf8Bytes(header))}.${toBase64Url(utf8Bytes(payload))}`
  return `${signed}.${toBase64Url(signDetached(key.privateKey, utf8Bytes(signed)))}`
}

function header(members: object = {}): string {
  return JSON.stringify({ alg: 'EdDSA', typ, kid: keyThumbprint(pair.publicKey), ...members })
}

async function expectCode(token: string, code: string): Promise<void> {
  await expect(verifyJws(token, { typ, keys: [pair.publicKey] })).rejects.toThrowError(
    expect.objectContaining({ code }),
  )
}

describe('signing and verifying', () => {
  test('round trip, by list and by lookup', async () => {
    const payload = { iss: 'provider', units: 100, list: [1, 'ü', null, true], nested: { a: -5 } }
    const token = await signJws({ ...pair, typ, payload })
    const expected = { payload, kid: keyThumbprint(pair.publicKey), publicKey: pair.publicKey }
    expect(await verifyJws(token, { typ, keys: [other.publicKey, pair.publicKey] })).toEqual(expected)
    const lookup = (kid: string): Uint8Array | undefined =>
      kid === expected.kid ? pair.publicKey : undefined
    expect(await verifyJws(token, { typ, keys: lookup })).toEqual(expected)
  })

  test('RFC 8037: another implementation verifies ours and makes what we verify', async () => {
    const token = await signJws({ ...pair, typ, payload: { n: 1 } })
    const x = toBase64Url(pair.publicKey)
    const publicJwk = await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA')
    const verified = await compactVerify(token, publicJwk, { algorithms: ['EdDSA'] })
    expect(new TextDecoder().decode(verified.payload)).toBe('{"n":1}')

    const d = toBase64Url(expose(pair.privateKey, 'ed25519-private'))
    const privateJwk = await importJWK({ kty: 'OKP', crv: 'Ed25519', x, d }, 'EdDSA')
    const theirs = await new CompactSign(utf8Bytes('{"n":2}'))
      .setProtectedHeader({ alg: 'EdDSA', typ, kid: keyThumbprint(pair.publicKey) })
      .sign(privateJwk)
    expect((await verifyJws(theirs, { typ, keys: [pair.publicKey] })).payload).toEqual({ n: 2 })
  })

  test.each([
    ['fraction', { n: 1.5 }],
    ['unsafe integer', { n: 2 ** 53 }],
    ['undefined', { n: undefined }],
    ['bytes', { n: new Uint8Array(1) }],
    ['array', [1]],
    ['lone surrogate', { n: '\ud800' }],
    ['deep', JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`) as object],
    ['too long', { n: 'x'.repeat(jwsMaxSizeBytes) }],
  ])('does not sign a payload with %s', async (_, payload) => {
    await expect(signJws({ ...pair, typ, payload })).rejects.toThrowError(
      expect.objectContaining({ code: 'JWS_PAYLOAD_INVALID' }),
    )
  })

  test('does not sign under a key that is not its own', async () => {
    await expect(signJws({ ...pair, publicKey: other.publicKey, typ, payload: {} })).rejects.toThrowError(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
  })

  test('does not sign with a typ that would break the header', async () => {
    await expect(signJws({ ...pair, typ: 'a","b":"c', payload: {} })).rejects.toThrowError(
      expect.objectContaining({ code: 'JWS_PAYLOAD_INVALID' }),
    )
  })
})

describe('refused', () => {
  test('an unknown signer, even under a trusted kid', async () => {
    await expectCode(await signJws({ ...other, typ, payload: {} }), 'JWS_KEY_UNKNOWN')
    await expectCode(forge(header(), '{}', other), 'JWS_SIGNATURE_INVALID')
  })

  test('a lookup that gives another key', async () => {
    const token = await signJws({ ...pair, typ, payload: {} })
    await expect(verifyJws(token, { typ, keys: () => other.publicKey })).rejects.toThrowError(
      expect.objectContaining({ code: 'JWS_KEY_UNKNOWN' }),
    )
  })

  test('another type', async () => {
    await expectCode(await signJws({ ...pair, typ: 'mlc-other+jwt', payload: {} }), 'JWS_TYPE_MISMATCH')
    await expectCode(forge(header({ typ: 'MLC-TEST+JWT' }), '{}'), 'JWS_TYPE_MISMATCH')
  })

  test.each([
    ['alg none', { alg: 'none' }],
    ['alg HS256', { alg: 'HS256' }],
    ['alg Ed25519', { alg: 'Ed25519' }],
    ['crit', { crit: ['exp'] }],
    ['b64', { b64: false }],
    ['jwk', { jwk: {} }],
    ['cty', { cty: 'x' }],
    ['kid as number', { kid: 5 }],
    ['no kid', { kid: undefined }],
    ['no typ', { typ: undefined }],
  ])('header with %s', async (_, members) => {
    await expectCode(forge(header(members), '{}'), 'JWS_MALFORMED')
  })

  test.each([
    ['repeated member', '{"a":1,"a":2}'],
    ['white space', '{"a": 1}'],
    ['fraction', '{"a":1.5}'],
    ['integer written as fraction', '{"a":1.0}'],
    ['exponent', '{"a":1e3}'],
    ['minus zero', '{"a":-0}'],
    ['unsafe integer', '{"a":9007199254740993}'],
    ['other escape', '{"a":"\\u0041"}'],
    ['byte order mark', '\ufeff{}'],
    ['array', '[]'],
    ['text', '"a"'],
    ['null', 'null'],
    ['not JSON', '{'],
    ['nothing', ''],
    ['deep nesting', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`],
  ])('payload with %s', async (_, payload) => {
    await expectCode(forge(header(), payload), 'JWS_MALFORMED')
  })

  test('payload of invalid UTF-8', async () => {
    const signed = `${toBase64Url(utf8Bytes(header()))}.${toBase64Url(Uint8Array.of(0x7b, 0xff, 0x7d))}`
    const signature = toBase64Url(signDetached(pair.privateKey, utf8Bytes(signed)))
    await expectCode(`${signed}.${signature}`, 'JWS_MALFORMED')
  })

  test('sizes and shapes', async () => {
    const token = await signJws({ ...pair, typ, payload: {} })
    await expectCode('', 'JWS_MALFORMED')
    await expectCode('..', 'JWS_MALFORMED')
    await expectCode(`${token}.`, 'JWS_MALFORMED')
    await expectCode(`${token}=`, 'JWS_MALFORMED')
    await expectCode(`${token}\n`, 'JWS_MALFORMED')
    await expectCode('x'.repeat(jwsMaxSizeBytes + 1), 'JWS_MALFORMED')
    await expectCode(token.slice(0, token.lastIndexOf('.') + 1), 'JWS_SIGNATURE_INVALID')
    await expectCode(undefined as unknown as string, 'JWS_MALFORMED')
    await expect(verifyJws(token, { typ, keys: [pair.publicKey], maxSizeBytes: 50 })).rejects.toThrowError(
      expect.objectContaining({ code: 'JWS_MALFORMED' }),
    )
  })

  test('any one changed character', async () => {
    const token = await signJws({ ...pair, typ, payload: { n: 1 } })
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: token.length - 1 }),
        fc.constantFrom(...'AQgwx09-_.=+ {\u00e9'),
        async (at, character) => {
          fc.pre(token[at] !== character)
          const changed = token.slice(0, at) + character + token.slice(at + 1)
          await expect(verifyJws(changed, { typ, keys: [pair.publicKey] })).rejects.toBeInstanceOf(
            CryptoError,
          )
        },
      ),
      { numRuns: 300 },
    )
  })
})
