// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { encodeCbor, toHex } from '@mlcapsule/crypto'
import { seeded } from '@mlcapsule/crypto/testing'
import { describe, expect, test } from 'vitest'
import {
  buildReportClaims,
  type ReportClaims,
  readReportClaims,
  reportData,
  tpmQualifyingData,
} from './claims.ts'

const claims: ReportClaims = {
  purpose: 'activate',
  nonce: seeded('nonce'),
  releaseKey: seeded('x'),
  identityKey: seeded('e'),
  capsuleId: seeded('capsule'),
  headerHash: seeded('header'),
  order: 'order-1',
  challengeSigner: seeded('signer'),
  anchor: null,
  manifestSha384: new Uint8Array(48).fill(7),
}

const withDomain = (label: string) =>
  Buffer.concat([Buffer.from([13 + label.length]), Buffer.from(`mlcapsule/v1/${label}`)])

describe('report claims', () => {
  test('are a map with the keys 1 to 10 in order', () => {
    const bytes = buildReportClaims(claims)
    expect(toHex(bytes.subarray(0, 2))).toBe('aa01')
    expect(toHex(bytes).endsWith(`09f60a5830${'07'.repeat(48)}`)).toBe(true)
    expect(readReportClaims(bytes)).toEqual(claims)
  })

  test('#72 report data is SHA-512 over the domain and the claims', () => {
    const bytes = buildReportClaims(claims)
    const expected = createHash('sha512').update(withDomain('report')).update(bytes).digest('hex')
    expect(toHex(reportData(bytes))).toBe(expected)
    const forTpm = createHash('sha256').update(withDomain('report-tpm')).update(Buffer.from(expected, 'hex'))
    expect(toHex(tpmQualifyingData(reportData(bytes)))).toBe(forTpm.digest('hex'))
  })

  test('#72 each claim changes the report data', () => {
    const seen = new Set<string>([toHex(reportData(buildReportClaims(claims)))])
    const changes: Partial<ReportClaims>[] = [
      { purpose: 'resume' },
      { order: 'order-2' },
      { anchor: new Uint8Array(1) },
      { manifestSha384: new Uint8Array(48).fill(8) },
      ...(['nonce', 'releaseKey', 'identityKey', 'capsuleId', 'headerHash', 'challengeSigner'] as const).map(
        (field) => ({ [field]: seeded('other') }),
      ),
    ]
    for (const change of changes) seen.add(toHex(reportData(buildReportClaims({ ...claims, ...change }))))
    expect(seen.size).toBe(1 + changes.length)
  })

  test.each([
    ['nonce', { nonce: new Uint8Array(31) }],
    ['order', { order: '' }],
    ['order', { order: 'a b' }],
    ['anchor', { anchor: new Uint8Array(1025) }],
    ['anchor', { anchor: new Uint8Array(0) }],
    ['manifestSha384', { manifestSha384: new Uint8Array(32) }],
    ['purpose', { purpose: 'something' as 'resume' }],
  ])('refuses a wrong %s', (field, change) => {
    expect(() => buildReportClaims({ ...claims, ...change })).toThrow(
      expect.objectContaining({ code: 'ATTESTATION_CLAIMS_INVALID', field }),
    )
  })

  test('an unknown key is refused', () => {
    const more = new Map<number, unknown>([[11, 1]])
    for (let key = 1; key <= 10; key++) more.set(key, null)
    expect(() => readReportClaims(encodeCbor(more))).toThrow(
      expect.objectContaining({ code: 'ATTESTATION_CLAIMS_INVALID' }),
    )
  })
})
