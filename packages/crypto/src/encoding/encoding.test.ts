// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  concatBytes,
  equalBytes,
  randomBytes,
  stockedRandomBytes,
  uint32Bytes,
  uint64Bytes,
  unsharedBytes,
} from './bytes.ts'
import { fromBase64Url, fromHex, toBase64Url, toHex } from './text.ts'

const invalid: unknown = expect.objectContaining({ code: 'KEY_ENCODING_INVALID' })

describe('hex', () => {
  test('round trip, as Node writes it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = toHex(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('hex'))
        expect(fromHex(text)).toEqual(bytes)
      }),
    )
  })

  test.each(['0', 'AB', '0g', '0x', ' 0', 'é0', '00\n0'])('refuses %j', (text) => {
    expect(() => fromHex(text)).toThrowError(invalid)
  })
})

describe('base64url', () => {
  test('round trip, as Node writes it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = toBase64Url(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64url'))
        expect(fromBase64Url(text)).toEqual(bytes)
      }),
    )
  })

  test('every accepted text is the one that the bytes give', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        let bytes: Uint8Array
        try {
          bytes = fromBase64Url(text)
        } catch (error) {
          expect(error).toEqual(invalid)
          return
        }
        expect(toBase64Url(bytes)).toBe(text)
      }),
    )
  })

  test.each(['A', 'AB==', 'AB', 'AAB', 'AA+A', 'AA/A', 'AA A', 'AAA=', 'AAAA\n', 'ééé'])(
    'refuses %j',
    (text) => {
      expect(() => fromBase64Url(text)).toThrowError(invalid)
    },
  )
})

describe('bytes', () => {
  test('integers are big-endian', () => {
    expect(toHex(uint32Bytes(0x01020304))).toBe('01020304')
    expect(toHex(uint64Bytes(2 ** 53 - 1))).toBe('001fffffffffffff')
  })

  test('concatenation', () => {
    expect(concatBytes()).toEqual(new Uint8Array(0))
    expect(concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3))).toEqual(
      Uint8Array.of(1, 2, 3),
    )
  })

  test('equality', () => {
    expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true)
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false)
  })

  test('random bytes beyond the quota of one call', () => {
    const bytes = randomBytes(200_000)
    expect(bytes.length).toBe(200_000)
    // A stretch of zeros as long as this would mean that a part was not filled.
    expect(toHex(bytes)).not.toContain('00'.repeat(16))
  })

  test('shared memory is copied, ordinary memory is not', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7)
    const copy = unsharedBytes(shared)
    expect(copy).toEqual(Uint8Array.of(7, 7, 7, 7))
    shared.fill(0)
    expect(copy[0]).toBe(7)
    const ordinary = Uint8Array.of(1)
    expect(unsharedBytes(ordinary)).toBe(ordinary)
  })
})

describe('random bytes out of a stock', () => {
  test('are those of the generator, in order, each handed out once', () => {
    let next = 1
    const drawn: number[] = []
    const random = stockedRandomBytes((sizeBytes) => {
      drawn.push(sizeBytes)
      return Uint8Array.from({ length: sizeBytes }, () => next++)
    }, 8)
    expect([...random(3)]).toEqual([1, 2, 3])
    expect([...random(5)]).toEqual([4, 5, 6, 7, 8])
    expect(drawn).toEqual([8])
    expect([...random(6)]).toEqual([9, 10, 11, 12, 13, 14])
    // Less is left than is asked for: a fresh stock, never one byte twice.
    expect([...random(3)]).toEqual([17, 18, 19])
    expect([...random(9)]).toEqual([25, 26, 27, 28, 29, 30, 31, 32, 33])
    expect([...random(0)]).toEqual([])
    expect(drawn).toEqual([8, 8, 8, 9])
  })

  test('what was handed out is private to who asked', () => {
    const random = stockedRandomBytes((sizeBytes) => new Uint8Array(sizeBytes).fill(7), 8)
    const first = random(4)
    first.fill(9)
    expect([...random(4)]).toEqual([7, 7, 7, 7])
    expect([...first]).toEqual([9, 9, 9, 9])
  })
})
