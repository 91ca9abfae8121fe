// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../encoding/text.ts'
import { cborMaxDepth, decodeCbor, encodeCbor } from './cbor.ts'

const limits = { maxSizeBytes: 10_000 }

// RFC 8949 appendix A, the part that is deterministic and within the subset.
test.each([
  [0, '00'],
  [23, '17'],
  [24, '1818'],
  [100, '1864'],
  [1000, '1903e8'],
  [1_000_000, '1a000f4240'],
  [1_000_000_000_000, '1b000000e8d4a51000'],
  [18446744073709551615n, '1bffffffffffffffff'],
  [-18446744073709551616n, '3bffffffffffffffff'],
  [-1, '20'],
  [-1000, '3903e7'],
  [false, 'f4'],
  [true, 'f5'],
  [null, 'f6'],
  [fromHex('01020304'), '4401020304'],
  ['', '60'],
  ['IETF', '6449455446'],
  ['ü', '62c3bc'],
  ['𐅑', '64f0908591'],
  [[], '80'],
  [[1, [2, 3], [4, 5]], '8301820203820405'],
  [
    new Map([
      [1, 2],
      [3, 4],
    ]),
    'a201020304',
  ],
  [{ a: 1, b: [2, 3] }, 'a26161016162820203'],
])('RFC 8949 appendix A: %o is %s', (value, hex) => {
  expect(toHex(encodeCbor(value))).toBe(hex)
  expect(decodeCbor(fromHex(hex), limits)).toEqual(value)
})

test.each([
  [1.1, 'fb3ff199999999999a'],
  [1.5, 'f93e00'],
  [2 ** -24, 'f90001'],
  [2 ** -14, 'f90400'],
  [1023 * 2 ** -24, 'f903ff'],
  [3.4028234663852886e38, 'fa7f7fffff'],
  [1.0e300, 'fb7e37e43c8800759c'],
  [100_000.5, 'fa47c35040'],
  [-4.1, 'fbc010666666666666'],
])('floats where allowed: %d is %s', (value, hex) => {
  expect(toHex(encodeCbor(value, { allowFloats: true }))).toBe(hex)
  expect(decodeCbor(fromHex(hex), { ...limits, allowFloats: true })).toBe(value)
  expect(() => encodeCbor(value)).toThrowError(expect.objectContaining({ code: 'CBOR_UNENCODABLE' }))
  expect(() => decodeCbor(fromHex(hex), limits)).toThrowError(
    expect.objectContaining({ code: 'CBOR_MALFORMED' }),
  )
})

test('keys are sorted by their encodings, whatever order they came in', () => {
  const mixed = new Map<unknown, unknown>([
    ['aa', 5],
    [-1, 3],
    [100, 2],
    ['b', 4],
    [10, 1],
  ])
  // RFC 8949 §4.2.1: 10, 100, -1, "z", "aa".
  expect(toHex(encodeCbor(mixed))).toBe('a50a0118640220036162046261610' + '5')
  expect(toHex(encodeCbor({ b: 1, aa: 2, a: 3 }))).toBe('a361610361620162616102')
})

describe('refused when read', () => {
  const malformed = [
    ['nothing', ''],
    ['trailing byte', '0000'],
    ['short text', '6261'],
    ['short array', '8201'],
    ['map without its last value', 'a10102' + 'a101'],
    ['indefinite array', '9f01ff'],
    ['indefinite text', '7f6161ff'],
    ['indefinite map', 'bf0102ff'],
    ['break alone', 'ff'],
    ['tag', 'c001'],
    ['big number tag', 'c2420100'],
    ['undefined', 'f7'],
    ['simple value', 'e0'],
    ['two-byte simple value', 'f8ff'],
    ['reserved length', '1c'],
    ['NaN', 'f97e00'],
    ['infinity', 'f97c00'],
    ['repeated integer key', 'a201020103'],
    ['repeated text key', 'a2616101616102'],
    ['repeated key that is spelled in two ways', 'a20102180103'],
    ['array as key', 'a18001'],
    ['bytes as key', 'a1410101'],
    ['boolean as key', 'a1f501'],
    ['text with a byte order mark', '64efbbbf61'],
    ['huge array length', '9bffffffffffffffff'],
    ['huge text length', '7bffffffffffffffff'],
  ] as const
  test.each(malformed)('%s', (_, hex) => {
    expect(() => decodeCbor(fromHex(hex), { ...limits, allowFloats: true })).toThrowError(
      expect.objectContaining({
        code: expect.stringMatching(/^CBOR_(MALFORMED|NOT_DETERMINISTIC)$/) as string,
      }),
    )
  })

  test.each([
    ['integer in two bytes', '1800'],
    ['integer in nine bytes', '1b0000000000000001'],
    ['text length in two bytes', '780161'],
    ['keys out of order', 'a2030401' + '02'],
    ['longer key first', 'a2626161016162' + '02'],
    ['invalid UTF-8', '61ff'],
    ['surrogate in UTF-8', '63eda080'],
    ['float64 that fits float16', 'fb3ff8000000000000'],
    ['float that is an integer', 'f93c00'],
  ])('not deterministic: %s', (_, hex) => {
    expect(() => decodeCbor(fromHex(hex), { ...limits, allowFloats: true })).toThrowError(
      expect.objectContaining({ code: 'CBOR_NOT_DETERMINISTIC' }),
    )
  })

  test('more bytes than allowed', () => {
    expect(() => decodeCbor(fromHex('8101'), { maxSizeBytes: 1 })).toThrowError(
      expect.objectContaining({ code: 'CBOR_TOO_LARGE' }),
    )
  })

  test('nesting', () => {
    const nested = (depth: number): Uint8Array => Uint8Array.from([...new Uint8Array(depth).fill(0x81), 0])
    expect(() => decodeCbor(nested(cborMaxDepth), limits)).not.toThrow()
    for (const depth of [cborMaxDepth + 1, 9_000]) {
      expect(() => decodeCbor(nested(depth), limits)).toThrowError(
        expect.objectContaining({ code: 'CBOR_TOO_LARGE' }),
      )
    }
  })

  test('siblings are not nesting', () => {
    const flat = Array.from({ length: 100 }, () => [[], {}, [1]])
    expect(decodeCbor(encodeCbor(flat), limits)).toEqual(flat)
  })

  test('__proto__ is only a key', () => {
    const decoded = decodeCbor(fromHex('a1695f5f70726f746f5f5fa1616101'), limits) as object
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
    expect(Object.keys(decoded)).toEqual(['__proto__'])
  })
})

describe('refused when written', () => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  test.each([
    ['undefined', undefined],
    ['undefined member', { a: undefined }],
    ['function', () => 1],
    ['symbol', Symbol('s')],
    ['class instance', new Date(0)],
    ['Float32Array', new Float32Array(1)],
    ['NaN', Number.NaN],
    ['minus zero', -0],
    ['unsafe integer', 2 ** 53],
    ['bigint beyond 64 bits', 2n ** 64n],
    ['lone surrogate', '\ud800'],
    ['byte order mark', '\ufeffa'],
    ['lone surrogate as key', { '\udfff': 1 }],
    ['object as key', new Map([[{}, 1]])],
    ['fraction as key', new Map([[0.5, 1]])],
    ['a hole', new Array(2)],
  ])('%s', (_, value) => {
    expect(() => encodeCbor(value)).toThrowError(expect.objectContaining({ code: 'CBOR_UNENCODABLE' }))
  })

  test('a cycle ends at the depth limit', () => {
    expect(() => encodeCbor(cycle)).toThrowError(expect.objectContaining({ code: 'CBOR_TOO_LARGE' }))
  })
})
