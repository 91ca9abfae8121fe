// SPDX-License-Identifier: Apache-2.0

import { concatBytes, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { chainNowMs, type Issued, issue, makeCrl, p256, pemOf } from '../../../test/certificates.ts'
import { codeOf } from '../../../test/errors.ts'
import {
  chipId,
  derByte,
  type KeyExtensions,
  keyExtensions,
  type LeafChanges,
  type ReportChanges,
  type SnpAuthorities,
  signSnpReport,
  snpAuthorities,
  snpCollateral,
  snpLeaf,
  snpReport,
  snpReportData,
  snpTable,
  snpTestRoots,
  snpTestStore,
  tableGuids,
} from '../../../test/sev-snp.ts'
import { type Collateral, noCollateral } from '../../collateral/collateral.ts'
import { type VerifyContext, verifyEvidence } from '../../evidence/verifier.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { KeyUsageFlags } from '../../x509/library.ts'
import { type SevSnpTrustStore, sevSnpTrustStore, sevSnpVerifier } from './index.ts'

const dayMs = 86_400_000
const malformed = 'ATTESTATION_EVIDENCE_MALFORMED'
const unsupported = 'ATTESTATION_EVIDENCE_UNSUPPORTED'
const mismatch = 'ATTESTATION_ENDORSEMENT_MISMATCH'
const badSignature = 'ATTESTATION_SIGNATURE_INVALID'
const badCertificate = 'ATTESTATION_CERTIFICATE_INVALID'
const unknownRoot = 'ATTESTATION_ROOT_UNKNOWN'
const unknownRevocation = 'ATTESTATION_REVOCATION_UNKNOWN'
const missing = 'ATTESTATION_COLLATERAL_MISSING'

let milan: SnpAuthorities
let genoa: SnpAuthorities
let turin: SnpAuthorities
let leased: SnpAuthorities
let vcek: Issued
let vlek: Issued
let collateral: Map<string, Uint8Array>

beforeAll(async () => {
  ;[milan, genoa, turin, leased] = await Promise.all([
    snpAuthorities('Milan'),
    snpAuthorities('Genoa'),
    snpAuthorities('Turin'),
    snpAuthorities('Milan', 'vlek'),
  ])
  ;[vcek, vlek] = await Promise.all([snpLeaf(milan), snpLeaf(leased)])
  collateral = await snpCollateral(milan, vcek)
})

const verify = (bytes: Uint8Array, changes: Partial<VerifyContext<SevSnpTrustStore>> = {}) =>
  sevSnpVerifier.verify(
    { platform: 'sev-snp', bytes },
    {
      nowMs: chainNowMs,
      trustStore: snpTestStore(milan),
      collateral,
      expectedReportData: snpReportData,
      ...changes,
    },
  )
const codeOfReport = async (changes: ReportChanges, context: Partial<VerifyContext<SevSnpTrustStore>> = {}) =>
  codeOf(async () => {
    await verify(await signSnpReport(snpReport(milan, changes), vcek), context)
  })

/** Code for a report with this certificate of its key, which the host hands over. */
const codeOfLeaf = async (changes: LeafChanges, of: SnpAuthorities = milan, report: ReportChanges = {}) => {
  const leaf = await snpLeaf(of, changes)
  const signed = await signSnpReport(snpReport(of, report), leaf)
  const table = snpTable([[tableGuids[of.kind], leaf.certificate.der]])
  return codeOf(async () =>
    verify(concatBytes(signed, table), {
      collateral: await snpCollateral(of, leaf),
      trustStore: snpTestStore(of),
    }),
  )
}

describe('genuine reports', () => {
  test('of Milan: what is shown', async () => {
    const signed = await signSnpReport(snpReport(milan), vcek)
    expect(sevSnpVerifier.collateralNames({ platform: 'sev-snp', bytes: signed })).toEqual([
      [...collateral.keys()],
    ])
    expect(await verify(signed)).toMatchObject({
      platform: 'sev-snp',
      rootKind: 'hardware',
      tier: 'sev-snp',
      root: milan.root.certificate.spkiSha256,
      manifestSha384: null,
      measurement: {
        measurement: '5a'.repeat(48),
        hostData: '6b'.repeat(32),
        idKeyDigest: '1d'.repeat(48),
      },
      debug: false,
      tcbStatus: 'none',
      advisoryIds: [],
      newestSignedAtMs: Date.UTC(2026, 0, 1),
      claims: {
        product: 'Milan',
        signingKey: 'vcek',
        chipId: toHex(chipId),
        cspId: null,
        authorKeyDigest: null,
        reportedTcb: { bootloader: 4, tee: 0, snp: 24, microcode: 219, fmc: null },
        committedVersion: { major: 1, minor: 55, build: 40 },
      },
    })
  })

  test('of Genoa, with its certificates in the table of the host; AMD lists alone are asked for', async () => {
    const leaf = await snpLeaf(genoa)
    const table = snpTable([
      [tableGuids.ark, genoa.root.certificate.der],
      [tableGuids.ask, utf8Bytes(pemOf(genoa.authority.certificate))],
      [`${'00'.repeat(15)}01`, new Uint8Array([1, 2, 3])],
      [tableGuids.vcek, leaf.certificate.der],
    ])
    const bytes = concatBytes(await signSnpReport(snpReport(genoa), leaf), table, new Uint8Array(100))
    expect(sevSnpVerifier.collateralNames({ platform: 'sev-snp', bytes })).toEqual([['amd/crl/vcek/Genoa']])
    const lists = new Map([['amd/crl/vcek/Genoa', await makeCrl(genoa.root)]])
    const found = await verify(bytes, { trustStore: snpTestStore(genoa), collateral: lists })
    expect(found.claims).toMatchObject({ product: 'Genoa', reportedTcb: { bootloader: 10, snp: 23 } })
  })

  test('of Turin, whose numbers of firmware lie otherwise and whose chips have 8 bytes, #50', async () => {
    const leaf = await snpLeaf(turin)
    const bytes = await signSnpReport(snpReport(turin), leaf)
    const context = { trustStore: snpTestStore(turin), collateral: await snpCollateral(turin, leaf) }
    expect((await verify(bytes, context)).claims).toMatchObject({
      product: 'Turin',
      reportedTcb: { fmc: 1, bootloader: 3, tee: 2, snp: 5, microcode: 82 },
    })
    const wrapped = await snpLeaf(turin, { values: { 4: Uint8Array.from([4, 8, ...chipId.subarray(0, 8)]) } })
    const other = { ...context, collateral: await snpCollateral(turin, wrapped) }
    expect(await codeOf(async () => verify(await signSnpReport(snpReport(turin), wrapped), other))).toBe('ok')
  })

  test('of a leased key: its cloud is known, and its chip is not', async () => {
    const table = snpTable([[tableGuids.vlek, vlek.certificate.der]])
    const bytes = concatBytes(await signSnpReport(snpReport(leased), vlek), table)
    const found = await verify(bytes, {
      trustStore: snpTestStore(leased),
      collateral: await snpCollateral(leased, vlek),
    })
    expect(found.claims).toMatchObject({ signingKey: 'vlek', cspId: 'cc.cloud.example', chipId: null })
    expect(sevSnpVerifier.collateralNames({ platform: 'sev-snp', bytes })).toEqual([
      ['amd/chain/vlek/Milan', 'amd/crl/vlek/Milan'],
    ])
  })

  test('of version 2, whose product the certificate says; of version 5', async () => {
    const ofVersion2 = { 0: [2], 392: [0, 0, 0] }
    const bytes = await signSnpReport(snpReport(milan, ofVersion2), vcek)
    const sets = sevSnpVerifier.collateralNames({ platform: 'sev-snp', bytes })
    const ofMilan = [...collateral.keys()]
    expect(sets).toEqual([ofMilan, ofMilan.map((it) => it.replace('Milan', 'Genoa'))])
    expect((await verify(bytes)).claims.product).toBe('Milan')
    const leaf = await snpLeaf(genoa)
    const tables = [
      snpTable([[tableGuids.vcek, leaf.certificate.der]]),
      snpTable([[tableGuids.ask, genoa.authority.certificate.der]]),
    ]
    for (const table of tables) {
      const ofGenoa = concatBytes(await signSnpReport(snpReport(genoa, ofVersion2), leaf), table)
      const [asked = [], ...others] = sevSnpVerifier.collateralNames({ platform: 'sev-snp', bytes: ofGenoa })
      expect(asked.slice(-2)).toEqual(['amd/chain/vcek/Genoa', 'amd/crl/vcek/Genoa'])
      expect(others).toEqual([])
      const context = { trustStore: snpTestStore(genoa), collateral: await snpCollateral(genoa, leaf) }
      expect((await verify(ofGenoa, context)).claims.product).toBe('Genoa')
    }
    expect(await codeOfReport({ 0: [5], 504: [1, 2], 512: [3] })).toBe('ok')
  })
})

describe('reports', () => {
  test('#1 cut, empty or longer than the kernel allows', async () => {
    const bytes = await signSnpReport(snpReport(milan), vcek)
    for (const sizeBytes of [0, 1, 3, 4, 0x29f, 0x2a0, 1183]) {
      expect(await codeOf(() => verify(bytes.subarray(0, sizeBytes)))).toBe(malformed)
    }
    expect(await codeOf(() => verify(concatBytes(bytes, new Uint8Array(16_385))))).toBe(malformed)
  })

  test('#2 #46 bytes that follow and are no table', async () => {
    const bytes = await signSnpReport(snpReport(milan), vcek)
    for (const more of [[0], [1], new Uint8Array(23), new Uint8Array(24).fill(1)]) {
      expect(await codeOf(() => verify(concatBytes(bytes, Uint8Array.from(more))))).toBe(malformed)
    }
    expect(await codeOf(() => verify(concatBytes(bytes, new Uint8Array(24))))).toBe('ok')
  })

  test('#3 #45 signature of zeros, with r or s zero, above the curve, in the other order of bytes', async () => {
    const bytes = await signSnpReport(snpReport(milan), vcek)
    const codeWith = (change: (copy: Uint8Array) => void) => {
      const copy = bytes.slice()
      change(copy)
      return codeOf(() => verify(copy))
    }
    expect(await codeWith((it) => it.fill(0, 0x2a0, 0x330))).toBe(badSignature)
    expect(await codeWith((it) => it.fill(0, 0x2a0, 0x2d0))).toBe(badSignature)
    expect(await codeWith((it) => it.fill(0, 0x2e8, 0x318))).toBe(badSignature)
    expect(await codeWith((it) => it.fill(0xff, 0x2a0, 0x2d0))).toBe(badSignature)
    expect(await codeWith((it) => it.subarray(0x2a0, 0x2d0).reverse())).toBe(badSignature)
    expect(await codeWith((it) => it.fill(1, 0x2cf + 1, 0x2d1))).toBe(malformed)
    expect(await codeWith((it) => it.fill(1, 0x317 + 1, 0x319))).toBe(malformed)
    expect(await codeWith((it) => it.fill(1, 1183))).toBe(malformed)
  })

  test('#45 SHA-256 in place of SHA-384', async () => {
    const bytes = await signSnpReport(snpReport(milan), vcek, 'SHA-256')
    expect(await codeOf(() => verify(bytes))).toBe(badSignature)
  })

  test('#45 any bit of the signed part and of the signature', async () => {
    const bytes = await signSnpReport(snpReport(milan), vcek)
    const codes = new Map<string, number>()
    for (let at = 0; at < bytes.length; at += 5) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      const code = await codeOf(() => verify(changed))
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    expect(codes.has('ok')).toBe(false)
    expect(codes.get(badSignature)).toBeGreaterThan(50)
  })

  test.each<[string, ReportChanges, string]>([
    ['#10 #46 version 0', { 0: [0] }, unsupported],
    ['#10 #46 version 1', { 0: [1] }, unsupported],
    ['#10 #46 version 4', { 0: [4] }, unsupported],
    ['#10 #46 version 6', { 0: [6] }, unsupported],
    ['#10 #46 another algorithm', { 52: [2] }, unsupported],
    ['#47 no signing key', { 72: [7 << 2] }, unsupported],
    ['#47 an unknown signing key', { 72: [2 << 2] }, unsupported],
    ['#47 the VLEK said to sign, with the certificate of the VCEK', { 72: [1 << 2] }, missing],
    ['#48 the key of the chip masked', { 72: [2] }, mismatch],
    ['#48 the chip masked', { 416: new Uint8Array(64) }, missing],
    ['#52 bit 17 of the policy clear', { 8: [0, 0, 1] }, malformed],
    ['#52 a reserved bit of the policy', { 8: [0, 0, 3, 4] }, malformed],
    ['#52 the highest reserved bit of the policy', { 8: [0, 0, 3, 0, 0, 0, 0, 0x80] }, malformed],
    ['#53 a report that the host asked for', { 48: [255, 255, 255, 255] }, unsupported],
    ['#53 level 4', { 48: [4] }, unsupported],
    ['#54 reported above what is committed', { 480: [3, 0, 0, 0, 0, 0, 24, 219] }, mismatch],
    ['#54 committed above what runs', { 480: [4, 0, 0, 0, 0, 0, 25, 219] }, mismatch],
    ['a reserved flag', { 72: [0x20] }, malformed],
    ['reserved bytes before the report data', { 76: [1] }, malformed],
    ['reserved bytes behind the processor', { 395: [1] }, malformed],
    ['reserved bytes before the signature', { 671: [1] }, malformed],
    ['a processor that is not known', { 392: [0x17, 1, 2] }, unsupported],
    ['a processor of another product', { 392: [0x19, 0x11, 1] }, missing],
    ['bytes of a processor in version 2', { 0: [2] }, malformed],
    ['mitigations in version 3', { 504: [1] }, malformed],
  ])('%s', async (_name, changes, expected) => {
    expect(await codeOfReport(changes)).toBe(expected)
  })

  test('#12 #13 #71 other report data, shorter, longer or none expected', async () => {
    for (const expectedReportData of [
      new Uint8Array(64),
      new Uint8Array(0),
      snpReportData.subarray(0, 63),
      concatBytes(snpReportData, new Uint8Array(1)),
    ]) {
      expect(await codeOfReport({}, { expectedReportData })).toBe('ATTESTATION_REPORT_DATA_MISMATCH')
    }
    const empty = { expectedReportData: new Uint8Array(64) }
    expect(await codeOfReport({ 80: new Uint8Array(64) }, empty)).toBe('ok')
  })

  test('#15 bytes of another platform, and the name of another', async () => {
    expect(await codeOf(() => verify(new Uint8Array(5000).fill(4)))).toBe(unsupported)
    const input = {
      verifiers: [sevSnpVerifier],
      trustStores: [snpTestStore(milan)],
      collateral,
      nowMs: chainNowMs,
      expectedReportData: snpReportData,
    }
    const bytes = await signSnpReport(snpReport(milan), vcek)
    const run = (platform: string) =>
      codeOf(() => verifyEvidence({ ...input, evidence: { platform, bytes } }))
    expect(await run('tdx')).toBe('ATTESTATION_PLATFORM_UNKNOWN')
    expect(await run('sev-snp')).toBe('ok')
  })
})

describe('chains', () => {
  const run = async (changes: Partial<VerifyContext<SevSnpTrustStore>>) => codeOfReport({}, changes)
  const withChain = (...chain: readonly Certificate[]) =>
    new Map([...collateral, ['amd/chain/vcek/Milan', utf8Bytes(pemOf(...chain))]])

  test('#4 a signature by a key of no certificate here', async () => {
    const other = await snpLeaf(milan)
    const bytes = await signSnpReport(snpReport(milan), other)
    expect(await codeOf(() => verify(bytes))).toBe(badSignature)
  })

  test('#5 #14 roots and authorities of the same names and other keys, also in the table of the host', async () => {
    const alike = await snpAuthorities('Milan')
    const leaf = await snpLeaf(alike)
    const bytes = await signSnpReport(snpReport(alike), leaf)
    const all = await snpCollateral(alike, leaf)
    expect(await codeOf(() => verify(bytes, { collateral: all }))).toBe(unknownRoot)
    expect(await codeOf(() => verify(bytes, { collateral: all, trustStore: sevSnpTrustStore() }))).toBe(
      unknownRoot,
    )
    const table = snpTable([
      [tableGuids.vcek, leaf.certificate.der],
      [tableGuids.ask, alike.authority.certificate.der],
      [tableGuids.ark, alike.root.certificate.der],
    ])
    expect(await codeOf(() => verify(concatBytes(bytes, table)))).toBe(unknownRoot)
  })

  test('#6 the trusted root behind a chain of others', async () => {
    const alike = await snpAuthorities('Milan')
    const leaf = await snpLeaf(alike)
    const bytes = await signSnpReport(snpReport(alike), leaf)
    const appended = new Map(await snpCollateral(alike, leaf))
    appended.set(
      'amd/chain/vcek/Milan',
      utf8Bytes(pemOf(alike.authority.certificate, milan.root.certificate)),
    )
    appended.set('amd/crl/vcek/Milan', await makeCrl(milan.root))
    expect(await codeOf(() => verify(bytes, { collateral: appended }))).toBe(badCertificate)
  })

  test.each<[string, Parameters<typeof snpAuthorities>[2], string]>([
    ['#7 an authority that is none', { isCa: false }, badCertificate],
    ['#7 an authority that may not sign certificates', { keyUsage: KeyUsageFlags.cRLSign }, badCertificate],
    ['#8 an authority with another issuer', { issuerName: 'ARK-Genoa' }, badCertificate],
    [
      '#9 an authority that has expired',
      { notAfterMs: chainNowMs - dayMs },
      'ATTESTATION_CERTIFICATE_EXPIRED',
    ],
  ])('%s', async (_name, changes, expected) => {
    const made = await snpAuthorities('Milan', 'vcek', changes)
    const leaf = await snpLeaf(made)
    const bytes = await signSnpReport(snpReport(made), leaf)
    const context = { trustStore: snpTestStore(made), collateral: await snpCollateral(made, leaf) }
    expect(await codeOf(() => verify(bytes, context))).toBe(expected)
  })

  test.each<[string, LeafChanges, string]>([
    ['#7 a leaf that is an authority', { isCa: true }, badCertificate],
    ['#8 a leaf with another issuer', { issuerName: 'SEV-Genoa' }, mismatch],
    ['#9 a leaf that has expired', { notAfterMs: chainNowMs - 1000 }, 'ATTESTATION_CERTIFICATE_EXPIRED'],
    ['#9 a leaf of tomorrow', { notBeforeMs: chainNowMs + dayMs }, 'ATTESTATION_CERTIFICATE_EXPIRED'],
    ['#47 a leaf that is called VLEK', { name: 'SEV-VLEK' }, badCertificate],
  ])('%s', async (_name, changes, expected) => {
    expect(await codeOfLeaf(changes)).toBe(expected)
  })

  test('#9 the clock is that of the caller', async () => {
    expect(await run({ nowMs: Date.UTC(2025, 11, 31) })).toBe('ATTESTATION_CERTIFICATE_EXPIRED')
    expect(await run({ nowMs: Date.UTC(2026, 11, 31) })).toBe('ok')
    expect(await run({ nowMs: Date.UTC(2027, 0, 2) })).toBe('ATTESTATION_CERTIFICATE_EXPIRED')
  })

  test('#50 the authority, the root or the trust of another product', async () => {
    const { authority, root } = genoa
    expect(await run({ collateral: withChain(authority.certificate, root.certificate) })).toBe(badCertificate)
    expect(await run({ collateral: withChain(milan.authority.certificate, root.certificate) })).toBe(
      badCertificate,
    )
    const { rootKeys } = snpTestRoots(milan)
    const others = sevSnpTrustStore({ rootKeys: { ...rootKeys, Milan: [genoa.root.certificate.spkiSha256] } })
    expect(await run({ trustStore: others })).toBe(unknownRoot)
    const leafOfGenoa = await snpLeaf(genoa)
    const ofLeaf = [...collateral.keys()].filter((it) => it.startsWith('amd/vcek/'))
    const crossed = new Map([
      ...collateral,
      ...ofLeaf.map((it) => [it, leafOfGenoa.certificate.der] as const),
    ])
    expect(await run({ collateral: crossed })).toBe(mismatch)
  })

  test('#51 the root in place of the authority, both the same, one alone, and one too many', async () => {
    const [authority, root] = [milan.authority.certificate, milan.root.certificate]
    for (const chain of [[root, root], [root], [authority], [authority, root, root], [root, authority]]) {
      expect(await run({ collateral: withChain(...chain) })).toBe(badCertificate)
    }
    const byRoot = await snpLeaf({ ...milan, authority: milan.root })
    const bytes = await signSnpReport(snpReport(milan), byRoot)
    const all = await snpCollateral(milan, byRoot)
    expect(await codeOf(() => verify(bytes, { collateral: all }))).toBe(mismatch)
  })

  test('#60 a key on another curve', async () => {
    const extensions = keyExtensions('Milan', 'vcek')
    const other = await issue({ name: 'SEV-VCEK', extensions }, milan.authority, p256)
    const bytes = await signSnpReport(snpReport(milan), vcek)
    const all = await snpCollateral(milan, other)
    expect(await codeOf(() => verify(bytes, { collateral: all }))).toBe(badSignature)
  })
})

describe('endorsement keys', () => {
  const longId = concatBytes(chipId.subarray(0, 63), new Uint8Array(1))
  test.each<[string, KeyExtensions, string]>([
    ['#48 no chip', { 4: null }, mismatch],
    ['#48 another chip', { 4: longId }, mismatch],
    ['#48 the start of the chip alone', { 4: chipId.slice(0, 8) }, mismatch],
    ['#48 an identifier of 63 bytes', { 4: chipId.slice(0, 63) }, badCertificate],
    ['#48 an identifier in an octet string', { 4: Uint8Array.from([4, 64, ...chipId]) }, 'ok'],
    ['#47 the cloud of a leased key', { 5: Uint8Array.from([0x16, 1, 0x61]) }, mismatch],
    ['#49 an older boot loader', { '3.1': derByte(3) }, mismatch],
    ['#49 no boot loader', { '3.1': null }, mismatch],
    ['#49 a newer part without a name', { '3.4': derByte(1) }, mismatch],
    ['#49 the last byte alone: -37 for 219', { '3.8': Uint8Array.from([2, 1, 219]) }, badCertificate],
    ['#49 more before it: 475 for 219', { '3.8': Uint8Array.from([2, 2, 1, 219]) }, badCertificate],
    ['#49 a longer encoding of 4', { '3.1': Uint8Array.from([2, 2, 0, 4]) }, badCertificate],
    ['#49 bytes behind it', { '3.1': Uint8Array.from([2, 1, 4, 0]) }, badCertificate],
    ['#49 an octet string', { '3.1': Uint8Array.from([4, 1, 4]) }, badCertificate],
    [
      '#50 another product',
      { 2: Uint8Array.from([0x16, 5, ...new TextEncoder().encode('Genoa')]) },
      mismatch,
    ],
    ['#50 a stepping', { 2: Uint8Array.from([0x16, 8, ...new TextEncoder().encode('Milan-B0')]) }, 'ok'],
    [
      '#50 the start of a product',
      { 2: Uint8Array.from([0x16, 3, ...new TextEncoder().encode('Mil')]) },
      mismatch,
    ],
    ['#50 no product', { 2: null }, badCertificate],
    ['#50 a product of another form', { 2: Uint8Array.from([0x0c, 1, 0x61]) }, badCertificate],
    ['a version of the structure that is no byte', { 1: new Uint8Array(0) }, badCertificate],
  ])('%s', async (_name, values, expected) => {
    expect(await codeOfLeaf({ values })).toBe(expected)
  })

  test.each<[string, KeyExtensions, string]>([
    ['#47 a leased key that names a chip', { 4: chipId }, mismatch],
    ['#47 a leased key that names no cloud', { 5: null }, mismatch],
    ['#47 a leased key with an empty cloud', { 5: Uint8Array.from([0x16, 0]) }, mismatch],
    ['#49 a leased key of older firmware', { '3.3': derByte(23) }, mismatch],
  ])('%s', async (_name, values, expected) => {
    expect(await codeOfLeaf({ values }, leased)).toBe(expected)
  })

  test("#50 Turin's numbers in the order of Milan, a chip of 64 bytes, bytes of no part", async () => {
    const swapped = { '3.9': derByte(3), '3.1': derByte(1) }
    expect(await codeOfLeaf({ values: swapped }, turin)).toBe(mismatch)
    expect(await codeOfLeaf({ values: { '3.9': null } }, turin)).toBe(mismatch)
    expect(await codeOfLeaf({ values: { 4: chipId } }, turin, { 416: chipId })).toBe(mismatch)
    const tcb = [1, 3, 2, 5, 1, 0, 0, 82]
    expect(await codeOfLeaf({}, turin, { 384: tcb, 480: tcb, 56: tcb })).toBe(mismatch)
  })

  test('#48 a chip that the report masks', async () => {
    expect(await codeOfLeaf({}, milan, { 416: new Uint8Array(64) })).toBe(mismatch)
  })

  test('#47 the certificate of one kind in the place of the other', async () => {
    const table = snpTable([[tableGuids.vcek, vlek.certificate.der]])
    const inPlace = concatBytes(await signSnpReport(snpReport(milan), vlek), table)
    const lists = await snpCollateral(leased, vlek)
    const trustStore = snpTestStore(milan, leased)
    expect(await codeOf(() => verify(inPlace, { trustStore, collateral: lists }))).toBe(mismatch)
    const other = snpTable([[tableGuids.vlek, vcek.certificate.der]])
    const reverse = concatBytes(await signSnpReport(snpReport(leased), vcek), other)
    expect(await codeOf(() => verify(reverse, { trustStore }))).toBe(mismatch)
  })
})

describe('#56 revocation', () => {
  const run = async (crl: Uint8Array | undefined, revocation: 'required' | 'unchecked' = 'required') => {
    const all = new Map(collateral)
    if (crl === undefined) all.delete('amd/crl/vcek/Milan')
    else all.set('amd/crl/vcek/Milan', crl)
    const trustStore = sevSnpTrustStore({ ...snpTestRoots(milan), revocation })
    return await codeOfReport({}, { collateral: all as Collateral, trustStore })
  }

  test('#27 #76 no list, an empty one, no DER', async () => {
    expect(await run(undefined)).toBe(missing)
    expect(await run(new Uint8Array(0))).toBe(unknownRevocation)
    expect(await run(new Uint8Array(300).fill(0x30))).toBe(unknownRevocation)
    expect(await run(undefined, 'unchecked')).toBe('ok')
    expect(sevSnpTrustStore().revocation).toBe('required')
  })

  test('#28 #29 a list by another key, of another authority, past, of tomorrow, without an end', async () => {
    expect(await run(await makeCrl((await snpAuthorities('Milan')).root))).toBe(unknownRevocation)
    expect(await run(await makeCrl(milan.authority))).toBe(unknownRevocation)
    expect(await run(await makeCrl(milan.root, { nextUpdateMs: chainNowMs - 1 }))).toBe(unknownRevocation)
    expect(await run(await makeCrl(milan.root, { thisUpdateMs: chainNowMs + 1000 }))).toBe(unknownRevocation)
    expect(await run(await makeCrl(milan.root, { nextUpdateMs: null }))).toBe(unknownRevocation)
  })

  test('a list that names the authority, and one that names another', async () => {
    expect(await run(await makeCrl(milan.root, { revokedSerials: ['0102'] }))).toBe(
      'ATTESTATION_CERTIFICATE_REVOKED',
    )
    expect(await run(await makeCrl(milan.root, { revokedSerials: ['0103'] }))).toBe('ok')
  })
})

describe('tables of certificates', () => {
  const run = async (table: Uint8Array) =>
    codeOf(async () => verify(concatBytes(await signSnpReport(snpReport(milan), vcek), table)))
  const good = () => snpTable([[tableGuids.vcek, vcek.certificate.der]])
  const changed = (at: number, value: readonly number[]) => {
    const table = good()
    table.set(value, at)
    return table
  }

  test('#1 entries that overrun, overlap, hide bytes, come twice, or have no end', async () => {
    expect(await run(good())).toBe('ok')
    expect(await run(changed(16, [255, 255, 255, 255]))).toBe(malformed)
    expect(await run(changed(20, [255, 255, 255, 255]))).toBe(malformed)
    expect(await run(changed(16, [0, 0, 0, 0]))).toBe(malformed)
    expect(await run(changed(16, [47, 0, 0, 0]))).toBe(malformed)
    expect(await run(changed(20, [0, 1, 0, 0]))).toBe(malformed)
    expect(await run(changed(24 + 16, [1]))).toBe(malformed)
    expect(await run(concatBytes(good(), Uint8Array.from([1])))).toBe(malformed)
    expect(await run(good().subarray(0, -1))).toBe(malformed)
    const twice = [tableGuids.vcek, vcek.certificate.der] as const
    expect(await run(snpTable([twice, twice]))).toBe(malformed)
    const many = Array.from({ length: 17 }, (_, i) => [`${10 + i}`.repeat(16), new Uint8Array(1)] as const)
    expect(await run(snpTable(many))).toBe(malformed)
    expect(await run(snpTable(many.slice(1)))).toBe('ok')
    expect(await run(new Uint8Array(240).fill(9))).toBe(malformed)
  })

  test('#80 what is no certificate, and more than one in an entry', async () => {
    const garbage = new Uint8Array(100).fill(0x30)
    expect(await run(snpTable([[tableGuids.vcek, garbage]]))).toBe(badCertificate)
    const two = utf8Bytes(pemOf(vcek.certificate, vcek.certificate))
    expect(await run(snpTable([[tableGuids.vcek, two]]))).toBe(badCertificate)
    expect(await run(snpTable([[tableGuids.vcek, utf8Bytes(pemOf(vcek.certificate))]]))).toBe('ok')
  })

  test('#76 nothing at hand', async () => {
    expect(await codeOfReport({}, { collateral: noCollateral })).toBe(missing)
    const bare = concatBytes(await signSnpReport(snpReport(leased), vlek))
    expect(await codeOf(() => verify(bare, { collateral: noCollateral }))).toBe(missing)
  })
})
