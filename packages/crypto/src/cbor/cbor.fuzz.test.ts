// SPDX-License-Identifier: Apache-2.0
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
