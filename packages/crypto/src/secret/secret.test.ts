// SPDX-License-Identifier: Apache-2.0
import { inspect } from 'node:util'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { CryptoError } from '../errors.ts'
import { type SecretKind, secretSizesBytes } from './kinds.ts'
import { expose, Secret, wipe } from './secret.ts'

const bytes: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => 0xa0 + i)
const leaks: readonly string[] = ['160', '161', 'a0a1', 'oKGi']

function leaksNothing(text: string): void {
  for (const leak of leaks) expect(text).not.toContain(leak)
}

describe('a secret cannot be printed', () => {
  const secret = Secret.fromBytes('content-key', bytes)

  test.each([
    ['toString', () => secret.toString()],
    ['template', () => `${secret}`],
    ['concatenation', () => ['', secret].join('')],
    ['String', () => String(secret)],
    ['inspect', () => inspect(secret)],
    ['inspect with hidden members', () => inspect({ deep: [secret] }, { showHidden: true, depth: 9 })],
    ['JSON', () => JSON.stringify({ secret })],
    ['own members', () => JSON.stringify(Object.getOwnPropertyDescriptors(secret))],
    ['an error message', () => String(new CryptoError('KEY_INVALID', `${secret}`))],
    ['Object.entries', () => JSON.stringify(Object.entries(secret))],
  ])('%s', (_, print) => {
    leaksNothing(print())
  })

  test('structuredClone gives nothing', () => {
    const clone: unknown = structuredClone(secret)
    expect(clone).toStrictEqual({})
    expect(clone).not.toBeInstanceOf(Secret)
  })

  test('spreading gives nothing', () => {
    expect({ ...secret }).toStrictEqual({})
  })
})

describe('a secret is used as its kind', () => {
  test('its bytes are a copy', () => {
    const original = bytes.slice()
    const secret = Secret.fromBytes('state-key', original)
    original.fill(0)
    expect(expose(secret, 'state-key')).toEqual(bytes)
  })

  test('another kind is refused at run time', () => {
    const secret: Secret = Secret.fromBytes('content-key', bytes)
    expect(() => expose(secret, 'page-key')).toThrowError(
      expect.objectContaining({ code: 'KEY_KIND_MISMATCH', field: 'page-key' }),
    )
  })

  test('another kind is a type error', () => {
    const secret = Secret.fromBytes('content-key', bytes)
    expectTypeOf(secret).not.toBeAny()
    expectTypeOf(secret).toEqualTypeOf<Secret<'content-key'>>()
    expectTypeOf(secret).not.toExtend<Secret<'page-key'>>()
    expectTypeOf<Uint8Array>().not.toExtend<Secret<'page-key'>>()
    // @ts-expect-error a content key opens no page
    expect(() => expose(secret, 'page-key')).toThrow()
  })

  test.each(Object.entries(secretSizesBytes))('%s has its size', (kind, sizeBytes) => {
    for (const wrong of [0, sizeBytes - 1, sizeBytes + 1]) {
      expect(() => Secret.fromBytes(kind as SecretKind, new Uint8Array(wrong))).toThrowError(
        expect.objectContaining({ code: 'KEY_SIZE_INVALID', field: kind }),
      )
    }
  })
})

describe('wipe', () => {
  test('a wiped secret is all zero and refuses use', () => {
    const secret = Secret.fromBytes('prk', bytes)
    const live = expose(secret, 'prk')
    wipe(secret)
    expect(live).toEqual(new Uint8Array(32))
    expect(secret.wiped).toBe(true)
    expect(() => expose(secret, 'prk')).toThrowError(expect.objectContaining({ code: 'KEY_WIPED' }))
    wipe(secret)
  })

  test('a buffer is zeroed', () => {
    const buffer = bytes.slice()
    wipe(buffer)
    expect(buffer).toEqual(new Uint8Array(32))
  })
})
