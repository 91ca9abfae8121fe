// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { toBase64Url, toHex } from '../index.ts'
import {
  base64UrlOf,
  base64UrlUpTo,
  confirmation,
  hexOf,
  identifier,
  numericDate,
  pluginName,
} from './index.ts'

const takes = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success
const bytes = new Uint8Array(32).fill(0xfb)

describe('fields of tokens', () => {
  test('base64url of an exact size, in its one canonical spelling', () => {
    const text = toBase64Url(bytes)
    expect(takes(base64UrlOf(32), text)).toBe(true)
    expect(takes(base64UrlOf(31), text)).toBe(false)
    expect(takes(base64UrlOf(32), `${text.slice(0, -1)}_`)).toBe(false)
    expect(takes(base64UrlOf(32), text.replaceAll('-', '+'))).toBe(false)
    expect(takes(base64UrlOf(32), `${text}=`)).toBe(false)
  })

  test('base64url up to a size, and never empty', () => {
    expect(takes(base64UrlUpTo(32), toBase64Url(bytes))).toBe(true)
    expect(takes(base64UrlUpTo(31), toBase64Url(bytes))).toBe(false)
    expect(takes(base64UrlUpTo(32), '')).toBe(false)
  })

  test('hex in lower case', () => {
    expect(takes(hexOf(32), toHex(bytes))).toBe(true)
    expect(takes(hexOf(32), toHex(bytes).toUpperCase())).toBe(false)
    expect(takes(hexOf(16), toHex(bytes))).toBe(false)
  })

  test.each([
    [identifier, 'order-1.A_b', true],
    [identifier, '-order', false],
    [identifier, 'a'.repeat(65), false],
    [pluginName, 'top-k', true],
    [pluginName, 'top_k', false],
    [numericDate, 1_700_000_000, true],
    [numericDate, 1.5, false],
    [numericDate, -1, false],
    [numericDate, 253_402_300_800, false],
  ])('%# takes %j: %s', (schema, value, expected) => {
    expect(takes(schema as z.ZodType, value)).toBe(expected)
  })

  test('the key of a confirmation is an Ed25519 JWK and nothing else', () => {
    const jwk = { crv: 'Ed25519', kty: 'OKP', x: toBase64Url(bytes) }
    expect(takes(confirmation, { jwk })).toBe(true)
    for (const other of [
      { ...jwk, crv: 'X25519' },
      { ...jwk, d: jwk.x },
      { ...jwk, x: 'AA' },
    ]) {
      expect(takes(confirmation, { jwk: other })).toBe(false)
    }
    expect(takes(confirmation, { jwk, kid: 'x' })).toBe(false)
  })
})
