// SPDX-License-Identifier: Apache-2.0
import { utf8Bytes } from '@mlcapsule/crypto'
import { codeOf } from '@mlcapsule/crypto/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bundleMaxSizeBytes, decodeBundle, encodeBundle } from './bundle.ts'
import { noCollateral, requireCollateral } from './collateral.ts'
import { collateralMaxSizeBytes, shownName } from './names.ts'

const items = new Map([
  ['intel/root-crl', Uint8Array.of(0x30, 0)],
  ['amd/crl/vcek/Milan', Uint8Array.of(1, 2, 3)],
])
const text = new TextDecoder().decode(encodeBundle(items))

describe('a bundle of collateral', () => {
  test('comes back as it was, in the order of its names', () => {
    expect([...decodeBundle(encodeBundle(items))]).toEqual([
      ['amd/crl/vcek/Milan', Uint8Array.of(1, 2, 3)],
      ['intel/root-crl', Uint8Array.of(0x30, 0)],
    ])
    expect(text).toBe(
      '{\n "version": 1,\n "items": {\n  "amd/crl/vcek/Milan": "AQID",\n  "intel/root-crl": "MAA"\n }\n}\n',
    )
  })

  test('any items come back', () => {
    const part = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/)
    const name = fc.array(part, { maxLength: 5 }).map((it) => ['v', ...it].join('/'))
    const values = fc.dictionary(name, fc.uint8Array({ minLength: 1, maxLength: 64 }), { maxKeys: 20 })
    fc.assert(
      fc.property(values, (value) => {
        const given = new Map(Object.entries(value))
        expect(decodeBundle(encodeBundle(given))).toEqual(given)
      }),
    )
  })

  test.each([
    ['a repeated member', text.replace('"AQID",', '"AQID",\n  "amd/crl/vcek/Milan": "AQID",')],
    ['another order', text.replace('"amd/crl/vcek/Milan"', '"z"')],
    ['other white space', `${text} `],
    ['an unknown member', text.replace('"version": 1,', '"version": 1,\n "note": "",')],
    ['another version', text.replace('1,', '2,')],
    ['a name that leads out of a folder', text.replace('intel/root-crl', 'intel/../root-crl')],
    ['a name that starts at the root', text.replace('"intel/root-crl', '"/intel/root-crl')],
    ['a name that is a number', text.replace('intel/root-crl', '1')],
    ['an empty item', text.replace('MAA', '')],
    ['padded base64', text.replace('MAA', 'MAA=')],
    ['bits behind the end', text.replace('MAA', 'MAB')],
    ['no items', '{\n "version": 1\n}\n'],
    ['a list', '[]\n'],
    ['nothing', ''],
    ['a mark of byte order', `\ufeff${text}`],
  ])('#80 refuses %s', async (_what, changed) => {
    expect(changed).not.toBe(text)
    expect(await codeOf(() => decodeBundle(utf8Bytes(changed)))).toBe('ATTESTATION_COLLATERAL_INVALID')
  })

  test('#80 refuses what is too large, before it reads it', async () => {
    const code = 'ATTESTATION_COLLATERAL_INVALID'
    expect(await codeOf(() => decodeBundle(new Uint8Array(bundleMaxSizeBytes + 1)))).toBe(code)
    const large = new Uint8Array(collateralMaxSizeBytes + 1)
    expect(await codeOf(() => encodeBundle(new Map([['a', large]])))).toBe(code)
    const many = new Map(Array.from({ length: 1025 }, (_, i) => [`a/${i}`, Uint8Array.of(1)]))
    expect(await codeOf(() => encodeBundle(many))).toBe(code)
    const most = new Map(Array.from({ length: 13 }, (_, i) => [`a/${i}`, large.subarray(1)]))
    expect(await codeOf(() => encodeBundle(most))).toBe(code)
  })
})

test('#79 a name is shown without the number of a chip', () => {
  expect(shownName(`amd/vcek/Milan/${'ab'.repeat(64)}/${'00'.repeat(8)}`)).toBe('amd/vcek/Milan/…/…')
  expect(shownName('intel/sgx/tcb/00906ea10000')).toBe('intel/sgx/tcb/00906ea10000')
  expect(shownName('amd/\u001b[2J')).toBe('?')
  const chip = `amd/vcek/Milan/${'ab'.repeat(64)}/${'00'.repeat(8)}`
  expect(() => requireCollateral(noCollateral, chip)).toThrow(
    expect.objectContaining({
      code: 'ATTESTATION_COLLATERAL_MISSING',
      message: expect.not.stringContaining('abab'),
    }),
  )
})
