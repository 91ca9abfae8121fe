// SPDX-License-Identifier: Apache-2.0
import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex } from '../encoding/text.ts'
import { CryptoError } from '../errors.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'

const limits = { maxSizeBytes: 10_000 }
const runs: number = process.env.SLOW === '1' ? 1_000_000 : 3_000

describe('properties', () => {
  const text: fc.Arbitrary<string> = fc.string({ unit: 'grapheme', maxLength: 8 })
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }).filter((n) => n > 2n ** 53n || n < -(2n ** 53n)),
      text,
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 20 }),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(text, tie('value'), { maxKeys: 5 }),
      fc
        .array(fc.tuple(fc.integer(), tie('value')), { minLength: 1, maxLength: 5 })
        .map((entries) => new Map(entries)),
    ),
  }))

  test('whatever is written is read as the same value', () => {
    fc.assert(
      fc.property(value, (written) => {
        expect(decodeCbor(encodeCbor(written), { maxSizeBytes: 1_000_000 })).toEqual(written)
      }),
      { numRuns: 300 },
    )
  })

  test('whatever is read writes back to the same bytes; nothing else comes out than a coded error', () => {
    const seeds = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(value, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([written, at, byte]) => {
        const bytes = encodeCbor(written)
        bytes[at % bytes.length] = byte
        return bytes
      }),
    )
    fc.assert(
      fc.property(seeds, fc.boolean(), (bytes, allowFloats) => {
        let decoded: unknown
        try {
          decoded = decodeCbor(bytes, { ...limits, allowFloats })
        } catch (error) {
          expect(error).toBeInstanceOf(CryptoError)
          expect((error as CryptoError).code).toMatch(/^CBOR_/)
          return
        }
        expect(toHex(encodeCbor(decoded, { allowFloats }))).toBe(toHex(bytes))
      }),
      { numRuns: runs },
    )
  })
})

describe('beside another implementation', () => {
  const key = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 70 }), fc.maxSafeInteger())
  // Half-precision numbers below 2^-14 it writes in a longer form; for them there are examples.
  const isCommon = (it: number) =>
    !Object.is(it, -0) && (Math.abs(it) >= 2 ** -14 || !Number.isInteger(it * 2 ** 24))
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
      fc.string({ unit: 'grapheme', maxLength: 80 }),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 300 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter(isCommon),
      fc.float({ noNaN: true, noDefaultInfinity: true }).filter(isCommon),
      fc.integer({ min: 1, max: 2047 }).map((it) => it * 2 ** -10),
      fc.array(tie('value'), { maxLength: 30 }),
      fc
        .uniqueArray(fc.tuple(key, tie('value')), { maxLength: 30, selector: ([it]) => it })
        .map((it) => new Map(it)),
    ),
  }))
  const floats = { allowFloats: true }

  test('the same bytes are written', () => {
    fc.assert(
      fc.property(value, (written) => {
        expect(toHex(encodeCbor(written, floats))).toBe(toHex(encode(written, rfc8949EncodeOptions)))
      }),
      { numRuns: runs },
    )
  })

  test('nothing is read that the other one does not read, and what is read is the same', () => {
    const bytes = fc.tuple(value, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([written, at, byte]) => {
      const encoded = encodeCbor(written, floats)
      encoded[at % encoded.length] = byte
      return encoded
    })
    fc.assert(
      fc.property(bytes, (given) => {
        let decoded: unknown
        try {
          decoded = decodeCbor(given, { ...floats, maxSizeBytes: 1_000_000 })
        } catch {
          return
        }
        const expected = decode(given, { useMaps: true, allowBigInt: true, rejectDuplicateMapKeys: true })
        expect(toHex(encode(decoded, rfc8949EncodeOptions))).toBe(
          toHex(encode(expected, rfc8949EncodeOptions)),
        )
      }),
      { numRuns: runs },
    )
  })
})
