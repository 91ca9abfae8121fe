// SPDX-License-Identifier: Apache-2.0

import { fromHex } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AuthorityChain,
  type ChainChanges,
  type CrlOptions,
  chainNowMs,
  issue,
  makeCrl,
  pemOf,
  testChain,
} from '../../test/certificates.ts'
import { codeOf } from '../../test/errors.ts'
import { AttestationError } from '../errors.ts'
import { Certificate } from './certificate.ts'
import { Extension, KeyUsageFlags } from './library.ts'
import { type PathInput, validatePath } from './path.ts'
import { readPemChain } from './pem.ts'
import { RevocationList } from './revocation-list.ts'

const dayMs = 86_400_000

function codeOfPath(made: AuthorityChain, more: Partial<PathInput> = {}): Promise<string> {
  return codeOf(() =>
    validatePath({
      chain: made.certificates,
      anchors: [made.root.certificate.spkiSha256],
      nowMs: chainNowMs,
      revocation: 'unchecked',
      ...more,
    }),
  )
}

describe('validatePath', () => {
  test('accepts a chain that is in order', async () => {
    expect(await codeOfPath(await testChain())).toBe('ok')
  })

  test.each<[string, ChainChanges, string]>([
    ['an authority without the CA flag', { middle: { isCa: false } }, 'ATTESTATION_CERTIFICATE_INVALID'],
    [
      'an authority that may not sign certificates',
      { middle: { isCa: true, keyUsage: KeyUsageFlags.cRLSign } },
      'ATTESTATION_CERTIFICATE_INVALID',
    ],
    ['an authority without key usage', { middle: { keyUsage: null } }, 'ATTESTATION_CERTIFICATE_INVALID'],
    ['a leaf that is an authority', { leaf: { isCa: true } }, 'ATTESTATION_CERTIFICATE_INVALID'],
    [
      'a leaf that may not sign data',
      { leaf: { keyUsage: KeyUsageFlags.keyEncipherment } },
      'ATTESTATION_CERTIFICATE_INVALID',
    ],
    ['a leaf without key usage', { leaf: { keyUsage: null } }, 'ok'],
    ['a path longer than the root allows', { root: { pathLength: 0 } }, 'ATTESTATION_CERTIFICATE_INVALID'],
    ['a path as long as the root allows', { root: { pathLength: 1 } }, 'ok'],
    ['names that do not chain', { leaf: { issuerName: 'Another' } }, 'ATTESTATION_CERTIFICATE_INVALID'],
    ['an expired leaf', { leaf: { notAfterMs: chainNowMs - 1000 } }, 'ATTESTATION_CERTIFICATE_EXPIRED'],
    ['a leaf of tomorrow', { leaf: { notBeforeMs: chainNowMs + dayMs } }, 'ATTESTATION_CERTIFICATE_EXPIRED'],
    ['an expired root', { root: { notAfterMs: chainNowMs - 1000 } }, 'ATTESTATION_CERTIFICATE_EXPIRED'],
    [
      'a critical extension that nobody knows',
      { leaf: { extensions: [new Extension('1.2.3.4', true, new Uint8Array([5, 0]))] } },
      'ATTESTATION_CERTIFICATE_INVALID',
    ],
    [
      'another extension that nobody knows',
      { leaf: { extensions: [new Extension('1.2.3.4', false, new Uint8Array([5, 0]))] } },
      'ok',
    ],
  ])('%s', async (_name, changes, expected) => {
    expect(await codeOfPath(await testChain(changes))).toBe(expected)
  })

  test('a root of the same names and another key, a foreign chain with the root appended, and too short ones', async () => {
    const [own, alike] = [await testChain(), await testChain()]
    const anchors = [own.root.certificate.spkiSha256]
    expect(await codeOfPath(alike, { anchors })).toBe('ATTESTATION_ROOT_UNKNOWN')
    const appended = [...alike.certificates.slice(0, 2), own.root.certificate]
    expect(await codeOfPath(own, { chain: appended })).toBe('ATTESTATION_CERTIFICATE_INVALID')
    const swapped = [alike.leaf, own.middle, own.root].map((it) => it.certificate)
    expect(await codeOfPath(own, { chain: swapped })).toBe('ATTESTATION_CERTIFICATE_INVALID')
    expect(await codeOfPath(own, { chain: [own.root.certificate] })).toBe('ATTESTATION_CERTIFICATE_INVALID')
    expect(await codeOfPath(own, { chain: [] })).toBe('ATTESTATION_CERTIFICATE_INVALID')
    expect(await codeOfPath(own, { chain: [...own.certificates].reverse() })).toBe('ATTESTATION_ROOT_UNKNOWN')
    const twice = [own.leaf, own.middle, own.root, own.root].map((it) => it.certificate)
    expect(await codeOfPath(own, { chain: twice })).toBe('ATTESTATION_CERTIFICATE_INVALID')
    expect(await codeOfPath(own, { anchors: [] })).toBe('ATTESTATION_ROOT_UNKNOWN')
  })
})

describe('the scope of a list of revoked certificates', () => {
  const of = (oid: string, critical: boolean, hex: string) => new Extension(oid, critical, fromHex(hex))
  const code = async (options: CrlOptions) => {
    const made = await testChain()
    const lists = async () => [await makeCrl(made.root), await makeCrl(made.middle, options)]
    return await codeOf(async () =>
      validatePath({
        chain: made.certificates,
        anchors: [made.root.certificate.spkiSha256],
        nowMs: chainNowMs,
        revocation: { lists: (await lists()).map((it) => new RevocationList(it)), covers: 'all' },
      }),
    )
  }
  const unknown = 'ATTESTATION_REVOCATION_UNKNOWN'

  test.each<[string, CrlOptions, string]>([
    ['a number', { extensions: [of('2.5.29.20', false, '020101')] }, 'ok'],
    ['changes alone (a delta list)', { extensions: [of('2.5.29.27', true, '020101')] }, unknown],
    ['one distribution point', { extensions: [of('2.5.29.28', true, '3003840101')] }, unknown],
    ['what nobody knows', { extensions: [of('1.2.3.4', true, '0500')] }, unknown],
    [
      "another issuer's entries",
      { revokedSerials: ['77'], entryExtensions: [of('2.5.29.29', true, '3000')] },
      unknown,
    ],
    [
      'entries with a reason',
      { revokedSerials: ['77'], entryExtensions: [of('2.5.29.21', false, '0a0101')] },
      'ok',
    ],
    [
      'an entry of this certificate, with a reason',
      { revokedSerials: ['03'], entryExtensions: [of('2.5.29.21', false, '0a0101')] },
      'ATTESTATION_CERTIFICATE_REVOKED',
    ],
  ])('#28 a list with %s', async (_what, options, expected) => {
    expect(await code(options)).toBe(expected)
  })
})

describe('revocation', () => {
  const lists = async (made: AuthorityChain, ofRoot = {}, ofMiddle = {}) =>
    [await makeCrl(made.root, ofRoot), await makeCrl(made.middle, ofMiddle)].map(
      (it) => new RevocationList(it),
    )
  const revoked = 'ATTESTATION_CERTIFICATE_REVOKED'
  const unknown = 'ATTESTATION_REVOCATION_UNKNOWN'

  test('all certificates below the root are looked for, or those of the root alone', async () => {
    const made = await testChain({ leaf: { serial: '00f3' }, middle: { serial: '7f02' } })
    const code = async (ofRoot: object, ofMiddle: object, covers: 'all' | 'issued-by-root' = 'all') =>
      await codeOfPath(made, { revocation: { lists: await lists(made, ofRoot, ofMiddle), covers } })
    expect(await code({}, {})).toBe('ok')
    expect(await code({ revokedSerials: ['11', '22'] }, { revokedSerials: ['33'] })).toBe('ok')
    expect(await code({}, { revokedSerials: ['33', '00f3'] })).toBe(revoked)
    expect(await code({}, { revokedSerials: ['f3'] })).toBe(revoked)
    expect(await code({ revokedSerials: ['7f02'] }, {})).toBe(revoked)
    expect(await code({}, { revokedSerials: ['00f3'] }, 'issued-by-root')).toBe('ok')
    expect(await code({ revokedSerials: ['7f02'] }, {}, 'issued-by-root')).toBe(revoked)
  })

  test.each<[string, object]>([
    ['past', { nextUpdateMs: chainNowMs - 1000 }],
    ['of tomorrow', { thisUpdateMs: chainNowMs + dayMs }],
    ['without an end', { nextUpdateMs: null }],
    ['of another name', { issuerName: 'Another' }],
  ])('a list that is %s', async (_name, changes) => {
    const made = await testChain()
    const list = await makeCrl(made.middle, changes)
    const code = await codeOf(async () =>
      validatePath({
        chain: made.certificates,
        anchors: [made.root.certificate.spkiSha256],
        nowMs: chainNowMs,
        revocation: {
          lists: [new RevocationList(await makeCrl(made.root)), new RevocationList(list)],
          covers: 'all',
        },
      }),
    )
    expect(code).toBe(unknown)
  })

  test('no list, one by another key, one by an authority that may not, and changed bytes', async () => {
    const [made, alike] = [await testChain(), await testChain()]
    const ofRoot = new RevocationList(await makeCrl(made.root))
    const code = (list: RevocationList) =>
      codeOfPath(made, { revocation: { lists: [ofRoot, list], covers: 'all' } })
    expect(await codeOfPath(made, { revocation: { lists: [ofRoot], covers: 'all' } })).toBe(unknown)
    expect(await codeOfPath(made, { revocation: { lists: [], covers: 'all' } })).toBe(unknown)
    expect(await code(new RevocationList(await makeCrl(alike.middle)))).toBe(unknown)
    const mute = await testChain({ middle: { keyUsage: KeyUsageFlags.keyCertSign } })
    const lists = [await makeCrl(mute.root), await makeCrl(mute.middle)].map((it) => new RevocationList(it))
    expect(await codeOfPath(mute, { revocation: { lists, covers: 'all' } })).toBe(unknown)
    const bytes = await makeCrl(made.middle, { revokedSerials: ['55'] })
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(await codeOf(() => code(new RevocationList(changed)).then(refuseUnlessUnknown))).toBe(unknown)
    }
  })

  /** Some changes are found while reading, others when the path is validated: both end with the same code. */
  function refuseUnlessUnknown(found: string): void {
    if (found !== 'ok') throw new AttestationError(found as typeof unknown, 'refused')
  }
})

describe('reading', () => {
  test('PEM of several certificates, with a zero at its end; nothing between', async () => {
    const { certificates } = await testChain()
    const text = pemOf(...certificates)
    expect(readPemChain(text).map((it) => it.commonName)).toEqual([
      'Test Leaf',
      'Test Authority',
      'Test Root',
    ])
    expect(readPemChain(new TextEncoder().encode(`${text}\0`))).toHaveLength(3)
    const invalid = 'ATTESTATION_CERTIFICATE_INVALID'
    for (const bad of [
      '',
      'x',
      `${text}x`,
      `x${text}`,
      text.replace('MII', 'MI*'),
      text.repeat(3),
      text.slice(0, -9),
    ]) {
      expect(await codeOf(() => readPemChain(bad))).toBe(invalid)
    }
  })

  test('bytes after the end, a cut, and an oversized certificate', async () => {
    const { der } = (await issue({ name: 'One' }, null)).certificate
    const invalid = 'ATTESTATION_CERTIFICATE_INVALID'
    for (const bad of [
      new Uint8Array([...der, 0]),
      der.subarray(0, -1),
      new Uint8Array(9000),
      new Uint8Array(0),
    ]) {
      expect(await codeOf(() => new Certificate(bad))).toBe(invalid)
      expect(await codeOf(() => new RevocationList(bad))).toBe('ATTESTATION_REVOCATION_UNKNOWN')
    }
  })

  test('#45 nothing around the signed part can be changed', async () => {
    const { leaf, middle } = await testChain()
    const isGenuineLeaf = (der: Uint8Array) => new Certificate(der).isSignedBy(middle.certificate)
    const isGenuineList = async (der: Uint8Array) => {
      await new RevocationList(der).assertNotRevoked(leaf.certificate, middle.certificate, chainNowMs)
      return true
    }
    for (const [whole, isGenuine] of [
      [leaf.certificate.der, isGenuineLeaf],
      [await makeCrl(middle), isGenuineList],
    ] as const) {
      expect(await isGenuine(whole)).toBe(true)
      // Behind the signed part are an algorithm of 12 bytes and a signature of up to 75.
      for (let bit = 8 * (whole.length - 82); bit < 8 * whole.length; bit++) {
        const changed = whole.slice()
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        let accepted = false
        await codeOf(async () => {
          accepted = await isGenuine(changed)
        })
        expect([bit, accepted]).toEqual([bit, false])
      }
    }
  })

  test('any bytes are read or refused with a code', async () => {
    const { der } = (await issue({ name: 'One' }, null)).certificate
    await fc.assert(
      fc.asyncProperty(fc.nat(der.length - 1), fc.nat(255), async (at, value) => {
        const changed = der.slice()
        changed[at] = value
        expect(await codeOf(() => new Certificate(changed))).toMatch(/^(ok|ATTESTATION_CERTIFICATE_INVALID)$/)
      }),
      { numRuns: 300 },
    )
  })
})
