// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../encoding/bytes.ts'
import { fromHex, toHex, utf8Bytes } from '../encoding/text.ts'
import { expose, Secret } from '../secret/secret.ts'
import { createSha256, domain, hmacSha256, labeledHash, sha256, sha256Async, sha384, sha512 } from './hash.ts'
import { deriveCommitment, deriveSubkey, hkdfExtract } from './hkdf.ts'

describe('SHA-2', () => {
  // FIPS 180-4 examples.
  test('known answers for "abc"', async () => {
    const abc = utf8Bytes('abc')
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    expect(toHex(sha256(abc))).toBe(expected)
    expect(toHex(await sha256Async(abc))).toBe(expected)
    expect(toHex(sha384(abc))).toBe(
      'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
    )
    expect(toHex(sha512(abc))).toBe(
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    )
  })

  test('parts are concatenated, streams agree', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), async (parts) => {
        const whole = concatBytes(...parts)
        const expected = createHash('sha256').update(whole).digest('hex')
        const stream = createSha256()
        for (const part of parts) stream.update(part)
        expect(toHex(sha256(...parts))).toBe(expected)
        expect(toHex(stream.digest())).toBe(expected)
        expect(toHex(await sha256Async(whole))).toBe(expected)
      }),
    )
  })
})

describe('domains', () => {
  test('length byte, prefix, label', () => {
    expect(toHex(domain('page'))).toBe(`11${Buffer.from('mlcapsule/v1/page').toString('hex')}`)
  })

  test('H(l, x) = SHA-256(D(l) ‖ x)', () => {
    const x = [Uint8Array.of(1), Uint8Array.of(2, 3)]
    expect(labeledHash('header-hash', ...x)).toEqual(sha256(domain('header-hash'), ...x))
  })

  test('a caller cannot change a domain for the next one', () => {
    domain('page').fill(0)
    expect(domain('page')[0]).toBe(0x11)
  })

  test.each(['', 'Page', 'a b', '-a', 'a-', 'é', 'a'.repeat(250)])('refuses label %j', (label) => {
    expect(() => domain(label)).toThrowError(expect.objectContaining({ code: 'SEAL_INPUT_INVALID' }))
  })
})

describe('HMAC and HKDF', () => {
  const prkBytes = fromHex('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5')

  test('HKDF-Extract, RFC 5869 test case 1', () => {
    const salt = fromHex('000102030405060708090a0b0c')
    const prk = hkdfExtract(salt, new Uint8Array(22).fill(0x0b))
    expect(expose(prk, 'prk')).toEqual(prkBytes)
    expect(prk.kind).toBe('prk')
  })

  test('several inputs are concatenated', () => {
    const secret = Secret.fromBytes('platform-key', new Uint8Array(32).fill(5))
    const joined = hkdfExtract(Uint8Array.of(1), concatBytes(new Uint8Array(32).fill(5), new Uint8Array(32)))
    const several = hkdfExtract(Uint8Array.of(1), [secret, new Uint8Array(32)])
    expect(expose(several, 'prk')).toEqual(expose(joined, 'prk'))
  })

  test('deriveSubkey is HKDF-Expand over the domain and the context', () => {
    const prk = hkdfExtract(fromHex('0102'), new Uint8Array(32).fill(9))
    const info = concatBytes(domain('blob'), Uint8Array.of(1))
    const expected = hkdfSync('sha256', new Uint8Array(32).fill(9), fromHex('0102'), info, 32)
    const derived = deriveSubkey(prk, 'blob', Uint8Array.of(1), 'page-key')
    expect(expose(derived, 'page-key')).toEqual(new Uint8Array(expected))
    expect(deriveCommitment(prk, 'blob', Uint8Array.of(1))).toEqual(new Uint8Array(expected))
  })

  test('label and context cannot trade bytes', () => {
    const prk = Secret.fromBytes('prk', prkBytes)
    const one = deriveCommitment(prk, 'ab', utf8Bytes('c'))
    const other = deriveCommitment(prk, 'a', utf8Bytes('bc'))
    expect(one).not.toEqual(other)
  })

  test('no key is derived from a key of another purpose', () => {
    const page = Secret.fromBytes('page-key', prkBytes)
    // @ts-expect-error page keys open pages
    expect(() => deriveSubkey(page, 'blob', new Uint8Array(0), 'page-key')).toThrowError(
      expect.objectContaining({ code: 'KEY_KIND_MISMATCH' }),
    )
  })

  test('HMAC-SHA256 agrees with Node', () => {
    const key = new Uint8Array(32).fill(3)
    const expected = createHmac('sha256', key).update('what do ya want for nothing?').digest('hex')
    const secret = Secret.fromBytes('hmac-key', key)
    expect(toHex(hmacSha256(secret, utf8Bytes('what do ya want '), utf8Bytes('for nothing?')))).toBe(expected)
  })
})
