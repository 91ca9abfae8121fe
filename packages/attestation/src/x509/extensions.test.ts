// SPDX-License-Identifier: Apache-2.0
import { fromHex, toHex } from '@mlcapsule/crypto'
import { describe, expect, test } from 'vitest'
import { der } from '../../test/der.ts'
import { AttestationError } from '../errors.ts'
import { readExtensions } from './extensions.ts'

const refuse = (detail: string) => new AttestationError('ATTESTATION_CERTIFICATE_INVALID', detail)
const [no, yes] = [der(0x01, Uint8Array.of(0)), der(0x01, Uint8Array.of(0xff))]
const oid = (hex: string) => der(0x06, fromHex(hex))
const [basicConstraints, keyUsage] = [oid('551d13'), oid('551d0f')]
const octets = (...content: Uint8Array[]) => der(0x04, ...content)
const number = (...bytes: number[]) => der(0x02, Uint8Array.from(bytes))

/** Of a certificate, only what is read here. */
function read(...extensions: readonly (readonly Uint8Array[])[]) {
  const list = der(0x30, ...extensions.map((it) => der(0x30, ...it)))
  return readExtensions(der(0x30, der(0x30, number(1), der(0xa3, list))), refuse)
}

const invalid: unknown = expect.objectContaining({ code: 'ATTESTATION_CERTIFICATE_INVALID' })

describe('extensions', () => {
  test('names, values, and which are critical', () => {
    const found = read(
      [oid('2a864886f84d010d01'), octets(number(5))],
      [oid('2b0601'), yes, octets()],
      [oid('883703'), no, octets(number(6))],
    )
    expect([...found.byOid].map(([name, { critical, value }]) => [name, critical, toHex(value)])).toEqual([
      ['1.2.840.113741.1.13.1', false, '020105'],
      ['1.3.6.1', true, ''],
      ['2.999.3', false, '020106'],
    ])
    expect(found).toMatchObject({
      isCa: false,
      pathLength: null,
      keyUsage: null,
      unknownCritical: ['1.3.6.1'],
    })
    expect(readExtensions(der(0x30, der(0x30, number(1))), refuse).byOid.size).toBe(0)
  })

  test.each<readonly [Uint8Array[], boolean, number | null]>([
    [[], false, null],
    [[no], false, null],
    [[yes], true, null],
    [[yes, number(0)], true, 0],
    [[yes, number(1)], true, 1],
    [[number(1)], false, 1],
  ])('basic constraints', (values, isCa, pathLength) => {
    const found = read([basicConstraints, yes, octets(der(0x30, ...values))])
    expect(found).toMatchObject({ isCa, pathLength, unknownCritical: [] })
  })

  test.each([
    ['03020780', 1],
    ['03020106', 0x60],
    ['030206c0', 3],
    ['0303078080', 0x101],
    ['030100', 0],
  ])('key usage %s', (hex, flags) => {
    expect(read([keyUsage, yes, octets(fromHex(hex))]).keyUsage).toBe(flags)
  })

  test.each<readonly [string, readonly (readonly Uint8Array[])[]]>([
    [
      'one that comes twice',
      [
        [keyUsage, octets(fromHex('03020780'))],
        [keyUsage, octets(fromHex('03020780'))],
      ],
    ],
    ['a name alone', [[oid('2b0601')]]],
    ['a value that is no octet string', [[oid('2b0601'), number(1)]]],
    ['a flag that is neither', [[oid('2b0601'), der(0x01, Uint8Array.of(1)), octets()]]],
    ['more than a name, a flag and a value', [[oid('2b0601'), yes, yes, octets()]]],
    ['an empty name', [[oid(''), octets()]]],
    ['a name that is cut off', [[oid('2b86'), octets()]]],
    ['a name with a zero in front', [[oid('2b8001'), octets()]]],
    ['constraints that are not a sequence', [[basicConstraints, octets(yes)]]],
    ['constraints with more behind', [[basicConstraints, octets(der(0x30, yes, number(1), number(1)))]]],
    ['constraints in another order', [[basicConstraints, octets(der(0x30, number(1), yes))]]],
    ['a negative path length', [[basicConstraints, octets(der(0x30, yes, number(0x80)))]]],
    ['a path length of no bytes', [[basicConstraints, octets(der(0x30, yes, number()))]]],
    ['key usage that is a number', [[keyUsage, octets(number(1))]]],
    ['key usage with more behind', [[keyUsage, octets(fromHex('03020780'), number(1))]]],
    ['key usage of 8 unused bits', [[keyUsage, octets(fromHex('03020880'))]]],
  ])('refused: %s', (_, extensions) => {
    expect(() => read(...extensions)).toThrow(invalid)
  })
})
