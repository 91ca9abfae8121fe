// SPDX-License-Identifier: Apache-2.0
import { beforeAll, expect, test } from 'vitest'
import { toBase64Url } from '../encoding/text.ts'
import { generateSigningKeyPair } from './ed25519.ts'
import { parsePublicKey, publicKeyFromJwk, publicKeyToJwk } from './jwk.ts'
import { cryptoReady } from './sodium.ts'

beforeAll(() => cryptoReady())

const invalid = expect.objectContaining({ code: 'KEY_INVALID' })
const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
const kid = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'

test('the key of RFC 8037 appendix A.2', () => {
  const publicKey = publicKeyFromJwk(JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x }))
  expect(toBase64Url(publicKey)).toBe(x)
  expect(JSON.parse(publicKeyToJwk(publicKey))).toEqual({ kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig' })
})

test('a key comes back, whole or as its x', () => {
  const { publicKey } = generateSigningKeyPair()
  expect(publicKeyFromJwk(publicKeyToJwk(publicKey))).toEqual(publicKey)
  expect(parsePublicKey(toBase64Url(publicKey))).toEqual(publicKey)
})

test.each([
  ['no JSON', 'x'],
  ['null', 'null'],
  ['an array', '[]'],
  ['another type', JSON.stringify({ kty: 'EC', crv: 'P-256', x })],
  ['another curve', JSON.stringify({ kty: 'OKP', crv: 'X25519', x })],
  ['no x', JSON.stringify({ kty: 'OKP', crv: 'Ed25519', kid })],
  ['a kid of another key', JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x, kid: x })],
  ['a short x', JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: x.slice(4) })],
  ['unused bits', JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: `${x.slice(0, -1)}p` })],
])('%s is refused', (_, text) => {
  expect(() => publicKeyFromJwk(text)).toThrow(invalid)
})

test.each(['', x.slice(1), `${x}A`, `${x}=`])('%j is no key', (text) => {
  expect(() => parsePublicKey(text)).toThrow(invalid)
})
