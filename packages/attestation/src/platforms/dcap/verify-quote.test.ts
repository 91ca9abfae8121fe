// SPDX-License-Identifier: Apache-2.0
import { concatBytes, equalBytes, fromHex, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { describe, expect, test } from 'vitest'
import { type CrlOptions, chainNowMs, makeCrl, pemOf } from '../../../test/certificates.ts'
import {
  type DcapMade,
  type DcapPlan,
  derInteger,
  examineMade,
  fmspc,
  isvLevel,
  madeReportData,
  makeDcap,
  pckField,
  pckFields,
  sgxAt,
  signedJson,
  tdAt,
} from '../../../test/dcap.ts'
import { der } from '../../../test/der.ts'
import { codeOf } from '../../../test/errors.ts'
import type { EvidenceVerifier } from '../../evidence/verifier.ts'
import { KeyUsageFlags } from '../../x509/library.ts'
import { sgxTrustStore, sgxVerifier } from '../sgx/index.ts'
import { tdxVerifier } from '../tdx/index.ts'

const dayMs = 86_400_000

async function codeOfMade(
  made: Pick<DcapMade, 'tee' | 'bytes' | 'context'>,
  more: { nowMs?: number } = {},
): Promise<string> {
  return await codeOf(() => examineMade(made, more))
}

async function codeOfPlan(
  tee: 'sgx' | 'tdx',
  edit: (plan: DcapPlan) => unknown,
  version?: number,
): Promise<string> {
  return await codeOfMade(await makeDcap(tee, edit, version))
}

/** Refusals of whatever is changed before signing, in both kinds. */
type Attack = readonly [name: string, edit: (plan: DcapPlan) => unknown, code: string]

const malformed = 'ATTESTATION_EVIDENCE_MALFORMED'
const unsupported = 'ATTESTATION_EVIDENCE_UNSUPPORTED'
const signatureInvalid = 'ATTESTATION_SIGNATURE_INVALID'
const mismatch = 'ATTESTATION_ENDORSEMENT_MISMATCH'
const certificateInvalid = 'ATTESTATION_CERTIFICATE_INVALID'
const certificateRevoked = 'ATTESTATION_CERTIFICATE_REVOKED'
const revocationUnknown = 'ATTESTATION_REVOCATION_UNKNOWN'
const collateralInvalid = 'ATTESTATION_COLLATERAL_INVALID'
const collateralExpired = 'ATTESTATION_COLLATERAL_EXPIRED'
const tcbRevoked = 'ATTESTATION_TCB_REVOKED'

const forms = [
  ['sgx', 3],
  ['sgx', 4],
  ['sgx', 5],
  ['tdx', 4],
  ['tdx', 5],
] as const

describe('a quote that is in order', () => {
  test.each(forms)('%s in version %i is genuine', async (tee, version) => {
    const made = await makeDcap(tee, () => {}, version)
    const verified = await examineMade(made)
    expect(verified).toMatchObject({
      platform: tee,
      tier: tee,
      rootKind: 'hardware',
      root: made.root.certificate.spkiSha256,
      manifestSha384: null,
      debug: false,
      tcbStatus: 'UpToDate',
      advisoryIds: [],
      newestSignedAtMs: Date.UTC(2026, 4, 20),
      claims: {
        quoteVersion: version,
        tcbEvaluationDataNumber: 20,
        qeTcbEvaluationDataNumber: 20,
        pck: { fmspc, pceId: '0000', ppid: 'b1'.repeat(16), pceSvn: 11 },
        pckAuthority: 'platform',
        qe: { isvProdId: tee === 'sgx' ? 1 : 2, isvSvn: 8 },
      },
    })
  })

  test('version 5 may hold a TD report of before TDX 1.5', async () => {
    const made = await makeDcap(
      'tdx',
      (plan) => {
        plan.bodyType = 2
        plan.bodySizeBytes = 584
        plan.body = plan.body.slice(0, 584)
      },
      5,
    )
    expect((await examineMade(made)).claims).toMatchObject({ teeTcbSvn2: null, mrServiceTd: null })
  })

  test('registers, and what collateral is asked for', async () => {
    const sgx = await makeDcap('sgx')
    expect((await examineMade(sgx)).measurement).toEqual({
      mrEnclave: 'e1'.repeat(32),
      mrSigner: '51'.repeat(32),
      isvProdId: '0007',
      isvSvn: '0003',
    })
    expect(sgxVerifier.collateralNames({ platform: 'sgx', bytes: sgx.bytes }).flat().toSorted()).toEqual(
      [...sgx.collateral.keys()].toSorted(),
    )
    const tdx = await makeDcap('tdx', () => {}, 5)
    expect((await examineMade(tdx)).measurement).toEqual({
      mrTd: '1d'.repeat(48),
      rtmr0: 'a0'.repeat(48),
      rtmr1: 'a1'.repeat(48),
      rtmr2: 'a2'.repeat(48),
      rtmr3: 'a3'.repeat(48),
      mrSeam: '5e'.repeat(48),
      mrConfigId: '00'.repeat(48),
      mrOwner: '00'.repeat(48),
      mrOwnerConfig: '00'.repeat(48),
      mrServiceTd: '00'.repeat(48),
    })
    expect(tdxVerifier.collateralNames({ platform: 'tdx', bytes: tdx.bytes }).flat().toSorted()).toEqual(
      [...tdx.collateral.keys()].toSorted(),
    )
  })

  test('a certificate of the processor authority asks for its own list', async () => {
    const made = await makeDcap('sgx', (plan) => {
      plan.authority = { name: 'Intel SGX PCK Processor CA' }
    })
    expect(await codeOfMade(made)).toBe('ATTESTATION_COLLATERAL_MISSING')
    made.collateral.set(
      'intel/pck-crl/processor',
      made.collateral.get('intel/pck-crl/platform') as Uint8Array,
    )
    expect((await examineMade(made)).claims.pckAuthority).toBe('processor')
  })
})

describe('layout', () => {
  test.each(forms)('#1 %s in version %i cut off anywhere, and other lengths', async (tee, version) => {
    const made = await makeDcap(tee, () => {}, version)
    const whole = made.bytes
    for (let sizeBytes = 0; sizeBytes < whole.length; sizeBytes += 7) {
      const code = await codeOfMade({ ...made, bytes: whole.slice(0, sizeBytes) })
      expect(code).toBe(malformed)
    }
    const bodyEnd = (version === 5 ? 54 : 48) + (tee === 'sgx' ? 384 : version === 5 ? 648 : 584)
    for (const word of [
      [0xff, 0xff, 0xff, 0xff],
      [0, 0, 0, 0x80],
      [0, 0, 0, 0],
    ]) {
      const bytes = whole.slice()
      bytes.set(word, bodyEnd)
      expect(await codeOfMade({ ...made, bytes })).toBe(malformed)
    }
    const padded = concatBytes(whole, new Uint8Array(32_768 - whole.length))
    expect(await codeOfMade({ ...made, bytes: padded })).toBe('ok')
    expect(await codeOfMade({ ...made, bytes: concatBytes(padded, new Uint8Array(1)) })).toBe(malformed)
  })

  test('#2 zero bytes may follow a quote, others not', async () => {
    const made = await makeDcap('tdx')
    expect(await codeOfMade({ ...made, bytes: concatBytes(made.bytes, new Uint8Array(70)) })).toBe('ok')
    expect(await codeOfMade({ ...made, bytes: concatBytes(made.bytes, Uint8Array.of(0, 1)) })).toBe(malformed)
  })

  test('#15 a quote of one kind given as the other', async () => {
    const [sgx, tdx] = [await makeDcap('sgx', () => {}, 4), await makeDcap('tdx')]
    expect(await codeOfMade({ ...sgx, tee: 'tdx' })).toBe(malformed)
    expect(await codeOfMade({ ...tdx, tee: 'sgx' })).toBe(malformed)
    expect(await codeOf(() => tdxVerifier.collateralNames({ platform: 'tdx', bytes: sgx.bytes }))).toBe(
      malformed,
    )
  })

  test.each<Attack>([
    ['version 2', (plan) => Object.assign(plan, { version: 2 }), unsupported],
    ['version 6', (plan) => Object.assign(plan, { version: 6 }), unsupported],
    ['attestation key type 0', (plan) => Object.assign(plan, { attestationKeyType: 0 }), unsupported],
    ['attestation key type 1', (plan) => Object.assign(plan, { attestationKeyType: 1 }), unsupported],
    ['attestation key type 3', (plan) => Object.assign(plan, { attestationKeyType: 3 }), unsupported],
    ['another vendor', (plan) => Object.assign(plan, { vendor: '00'.repeat(16) }), unsupported],
    ['TEE type 1', (plan) => Object.assign(plan, { teeType: 1 }), malformed],
    ['TEE type of TDX in an SGX quote', (plan) => Object.assign(plan, { teeType: 0x81 }), malformed],
  ])('#17 %s, correctly signed', async (_, edit, code) => {
    expect(await codeOfPlan('sgx', edit)).toBe(code)
  })

  test('#17 version 3 knows no trust domains', async () => {
    expect(await codeOfPlan('tdx', () => {}, 3)).toBe(malformed)
  })

  test.each<readonly ['sgx' | 'tdx', number, number]>([
    ['tdx', 1, 384],
    ['tdx', 1, 648],
    ['tdx', 0, 648],
    ['tdx', 4, 648],
    ['tdx', 2, 648],
    ['tdx', 3, 584],
    ['tdx', 3, 0xffffffff],
    ['sgx', 2, 384],
    ['sgx', 2, 584],
    ['sgx', 3, 648],
    ['sgx', 1, 648],
  ])('#18 %s in version 5 with a body of type %i and %i bytes', async (tee, bodyType, bodySizeBytes) => {
    const edit = (plan: DcapPlan) => {
      // As many bytes as it says, so that only what it says is wrong.
      const body = concatBytes(plan.body, new Uint8Array(264)).slice(0, Math.min(bodySizeBytes, 648))
      Object.assign(plan, { bodyType, bodySizeBytes, body })
    }
    expect(await codeOfPlan(tee, edit, 5)).toBe(malformed)
  })

  test.each([1, 2, 3, 4, 6, 7])('#24 certification data of type %i', async (certificationDataType) => {
    const edit = (plan: DcapPlan) => Object.assign(plan, { certificationDataType })
    expect(await codeOfPlan('sgx', edit)).toBe(unsupported)
    expect(await codeOfPlan('tdx', edit)).toBe(unsupported)
    const outer = (plan: DcapPlan) => Object.assign(plan, { outerDataType: certificationDataType })
    expect(await codeOfPlan('tdx', outer)).toBe(certificationDataType === 6 ? 'ok' : unsupported)
  })

  test('#24 a chain in another order or of another length', async () => {
    const chainOf = (chain: DcapPlan['chain']) => codeOfPlan('sgx', (plan) => Object.assign(plan, { chain }))
    expect(await chainOf((chain) => chain.toReversed())).toBe(certificateInvalid)
    expect(await chainOf((chain) => chain.slice(0, 2))).toBe(certificateInvalid)
    expect(await chainOf((chain) => chain.slice(0, 1))).toBe(certificateInvalid)
    expect(await chainOf((chain) => [...chain, ...chain.slice(2)])).toBe(certificateInvalid)
    expect(await chainOf(([leaf, authority, root]) => [leaf, root, authority] as never)).toBe(
      'ATTESTATION_ROOT_UNKNOWN',
    )
    expect(await chainOf(() => [])).toBe(certificateInvalid)
  })

  test('#43 a report without a signature', async () => {
    // TDREPORT_STRUCT starts with its type, 0x81; an SGX REPORT with CPUSVN, which here looks like a header.
    const tdReport = new Uint8Array(1024)
    tdReport.set([0x81])
    expect(await codeOfMade({ tee: 'tdx', bytes: tdReport, context: {} as never })).toBe(unsupported)
    const sgxReport = new Uint8Array(432)
    sgxReport.set([3, 0, 2])
    expect(await codeOfMade({ tee: 'sgx', bytes: sgxReport, context: {} as never })).toBe(unsupported)
  })
})

describe('signatures', () => {
  test.each(forms)('#19 %s in version %i: every field of header and body is signed', async (tee, version) => {
    const made = await makeDcap(tee, () => {}, version)
    const bodyEnd = (version === 5 ? 54 : 48) + (tee === 'sgx' ? 384 : version === 5 ? 648 : 584)
    for (let at = 8; at < bodyEnd; at += 5) {
      if (at === 13 || (at > 47 && at < 54 && version === 5)) continue
      const bytes = made.bytes.slice()
      bytes[at] = (bytes[at] ?? 0) ^ 0x20
      expect([signatureInvalid, unsupported]).toContain(await codeOfMade({ ...made, bytes }))
    }
  })

  test.each(forms)(
    '#3 #19 %s in version %i: changed, zero and oversized signatures',
    async (tee, version) => {
      const made = await makeDcap(tee, () => {}, version)
      const at = (version === 5 ? 54 : 48) + (tee === 'sgx' ? 384 : version === 5 ? 648 : 584) + 4
      for (const [from, content] of [
        [at, new Uint8Array(64)],
        [at, new Uint8Array(32)],
        [at + 32, new Uint8Array(32)],
        [at, new Uint8Array(64).fill(0xff)],
        [at + 63, Uint8Array.of((made.bytes[at + 63] ?? 0) ^ 1)],
      ] as const) {
        const bytes = made.bytes.slice()
        bytes.set(content, from)
        expect(await codeOfMade({ ...made, bytes })).toBe(signatureInvalid)
      }
    },
  )

  test('#20 another attestation key, one that is no point, and other authentication data', async () => {
    const [made, other] = [await makeDcap('sgx'), await makeDcap('sgx')]
    const keyAt = 48 + 384 + 4 + 64
    const authAt = keyAt + 64 + 384 + 64 + 2
    const withBytes = async (...changes: (readonly [number, Uint8Array])[]) => {
      const bytes = made.bytes.slice()
      for (const [at, content] of changes) bytes.set(content, at)
      return await codeOfMade({ ...made, bytes })
    }
    const otherKey = other.bytes.slice(keyAt, keyAt + 64)
    // The other quote as a whole, but for its quoting enclave.
    const otherBody = [48, other.bytes.slice(48, 48 + 384)] as const
    const otherSignature = [keyAt - 64, other.bytes.slice(keyAt - 64, keyAt)] as const
    expect(await withBytes([keyAt, otherKey])).toBe(mismatch)
    expect(await withBytes(otherBody, otherSignature, [keyAt, otherKey])).toBe(mismatch)
    expect(await withBytes([keyAt, new Uint8Array(64)])).toBe(mismatch)
    expect(await withBytes([authAt, Uint8Array.of(0)])).toBe(mismatch)
    expect(await codeOfPlan('sgx', (plan) => Object.assign(plan, { bindsKey: false }))).toBe(mismatch)
  })

  test('#21 a report of the quoting enclave that was changed, or is of another platform', async () => {
    const [made, other] = [await makeDcap('sgx'), await makeDcap('sgx')]
    const reportAt = 48 + 384 + 4 + 128
    const bytes = made.bytes.slice()
    bytes.set([9], reportAt + sgxAt.isvSvn)
    expect(await codeOfMade({ ...made, bytes })).toBe(signatureInvalid)
    const foreign = made.bytes.slice()
    foreign.set(other.bytes.slice(reportAt, reportAt + 448), reportAt)
    expect(await codeOfMade({ ...made, bytes: foreign })).toBe(signatureInvalid)
    // A genuine chain and collateral of another platform around this one's quote.
    const mixed = await makeDcap('sgx', (plan) => {
      plan.chain = () => [other.leaf, other.authority, other.root].map(({ certificate }) => certificate)
    })
    expect(await codeOfMade({ ...mixed, context: other.context })).toBe(signatureInvalid)
  })
})

describe('the quoting enclave', () => {
  const withReport =
    (at: number, ...bytes: number[]) =>
    (plan: DcapPlan) =>
      plan.qeReport.set(bytes, at)

  test.each<Attack>([
    ['MRSIGNER', withReport(sgxAt.mrSigner, 1), mismatch],
    ['ISVPRODID', withReport(sgxAt.isvProdId, 9), mismatch],
    ['MISCSELECT', withReport(sgxAt.miscSelect, 1), mismatch],
    ['ATTRIBUTES, debug', withReport(sgxAt.attributes, 0x13), mismatch],
    ['ATTRIBUTES, no provision key', withReport(sgxAt.attributes, 0x05), mismatch],
    ['ATTRIBUTES, a reserved flag', withReport(sgxAt.attributes + 7, 0x80), mismatch],
    ['a bit outside the mask', withReport(sgxAt.attributes + 8, 0xe7), 'ok'],
    [
      'an identity with a bit outside the mask',
      (plan) => Object.assign(plan.qeIdentity, { miscselectMask: '00000000' }),
      'ok',
    ],
    [
      'an identity that no enclave can have',
      (plan) => Object.assign(plan.qeIdentity, { miscselect: '01000000', miscselectMask: '00000000' }),
      mismatch,
    ],
  ])('#22 %s', async (_, edit, code) => {
    expect(await codeOfPlan('sgx', edit)).toBe(code)
    expect(await codeOfPlan('tdx', edit)).toBe(code)
  })

  test('#23 #38 its level counts in the end', async () => {
    const withSvn = async (svn: number, level?: object) => {
      const made = await makeDcap('sgx', (plan) => {
        plan.qeReport.set([svn], sgxAt.isvSvn)
        Object.assign(plan.tcbInfo.tcbLevels[0], level)
      })
      try {
        const { tcbStatus, advisoryIds, claims } = await examineMade(made)
        return [tcbStatus, claims.tcb.platformStatus, claims.tcb.qeStatus, ...advisoryIds]
      } catch (error) {
        return [(error as { code: string }).code]
      }
    }
    expect(await withSvn(9)).toEqual(['UpToDate', 'UpToDate', 'UpToDate'])
    const outOfDate = { tcbStatus: 'ConfigurationNeeded', advisoryIDs: ['INTEL-SA-00009', 'INTEL-SA-00002'] }
    expect(await withSvn(7)).toEqual(['OutOfDate', 'UpToDate', 'OutOfDate', 'INTEL-SA-00002'])
    expect(await withSvn(6, outOfDate)).toEqual([
      'OutOfDateConfigurationNeeded',
      'ConfigurationNeeded',
      'OutOfDate',
      'INTEL-SA-00002',
      'INTEL-SA-00009',
    ])
    expect(await withSvn(5)).toEqual([tcbRevoked])
    expect(await withSvn(3)).toEqual([tcbRevoked])
  })
})

describe('certificates', () => {
  test('#4 #5 a root of the same name with another key', async () => {
    const made = await makeDcap('sgx')
    const context = { ...made.context, trustStore: sgxTrustStore() }
    expect(await codeOfMade({ ...made, context })).toBe('ATTESTATION_ROOT_UNKNOWN')
    const trustStore = sgxTrustStore([(await makeDcap('sgx')).root.certificate.spkiSha256])
    expect(await codeOfMade({ ...made, context: { ...context, trustStore } })).toBe(
      'ATTESTATION_ROOT_UNKNOWN',
    )
  })

  test('#6 the trusted root put behind a chain of others', async () => {
    const trusted = await makeDcap('sgx')
    const made = await makeDcap('sgx', (plan) => {
      plan.chain = ([leaf, authority]) => [leaf, authority, trusted.root.certificate] as never
    })
    expect(
      await codeOfMade({ ...made, context: { ...made.context, trustStore: trusted.context.trustStore } }),
    ).toBe(certificateInvalid)
  })

  test.each<Attack>([
    [
      '#7 an authority without the CA flag, whose list does not count either',
      (plan) => Object.assign(plan, { authority: { isCa: false } }),
      revocationUnknown,
    ],
    [
      '#7 an authority that may not sign certificates',
      (plan) => Object.assign(plan, { authority: { keyUsage: KeyUsageFlags.cRLSign } }),
      certificateInvalid,
    ],
    [
      '#7 a leaf that is an authority',
      (plan) => Object.assign(plan, { leaf: { isCa: true } }),
      certificateInvalid,
    ],
    [
      '#7 a root whose chains are shorter',
      (plan) => Object.assign(plan, { root: { pathLength: 0 } }),
      certificateInvalid,
    ],
    [
      '#8 a leaf that names another issuer',
      (plan) => Object.assign(plan, { authority: { issuerName: 'Other' } }),
      certificateInvalid,
    ],
    [
      '#9 a leaf that has ended',
      (plan) => Object.assign(plan, { leaf: { notAfterMs: chainNowMs - 1000 } }),
      'ATTESTATION_CERTIFICATE_EXPIRED',
    ],
    [
      '#9 an authority that has not begun',
      (plan) => Object.assign(plan, { authority: { notBeforeMs: chainNowMs + 1000 } }),
      'ATTESTATION_CERTIFICATE_EXPIRED',
    ],
    [
      '#9 a signer of tables that has ended',
      (plan) => Object.assign(plan, { signer: { notAfterMs: chainNowMs - 1000 } }),
      'ATTESTATION_CERTIFICATE_EXPIRED',
    ],
    [
      '#32 a leaf of another name',
      (plan) => Object.assign(plan, { leaf: { name: 'Intel SGX TCB Signing' } }),
      certificateInvalid,
    ],
    [
      '#32 an authority of another name',
      (plan) => Object.assign(plan, { authority: { name: 'Other CA' } }),
      certificateInvalid,
    ],
    [
      '#26 a revoked leaf',
      (plan) => Object.assign(plan, { pckCrl: { revokedSerials: ['03'] } }),
      certificateRevoked,
    ],
    [
      '#26 a revoked authority',
      (plan) => Object.assign(plan, { rootCrl: { revokedSerials: ['02'] } }),
      certificateRevoked,
    ],
    [
      '#26 a revoked signer of tables',
      (plan) => Object.assign(plan, { rootCrl: { revokedSerials: ['04'] } }),
      certificateRevoked,
    ],
    [
      '#26 others that are revoked',
      (plan) => Object.assign(plan, { pckCrl: { revokedSerials: ['02', '04', '05'] } }),
      'ok',
    ],
  ])('%s', async (_, edit, code) => {
    expect(await codeOfPlan('sgx', edit)).toBe(code)
    expect(await codeOfPlan('tdx', edit, 5)).toBe(code)
  })

  test('#9 the time is the one that is given, to the millisecond', async () => {
    const made = await makeDcap('sgx')
    const at = (nowMs: number) => codeOfMade(made, { nowMs })
    const [from, until] = [Date.UTC(2026, 4, 20), Date.UTC(2026, 5, 20)]
    expect(await Promise.all([at(from), at(until)])).toEqual(['ok', 'ok'])
    expect(await Promise.all([at(from - 1), at(until + 1)])).toEqual([collateralExpired, collateralExpired])
    expect(await at(Date.UTC(2026, 0, 1) - 1)).toBe('ATTESTATION_CERTIFICATE_EXPIRED')
  })
})

describe('the PCK extension', () => {
  const withExtension = (extension: Uint8Array | null) =>
    codeOfPlan('sgx', (plan) => Object.assign(plan, { extension }))
  const fieldsOf = (edit: (fields: Uint8Array[]) => Uint8Array[]) =>
    codeOfPlan('sgx', (plan) => Object.assign(plan, { extension: der(0x30, ...edit(pckFields(plan.pck))) }))

  test('#25 none, an empty one, and one of another form', async () => {
    expect(await withExtension(null)).toBe(certificateInvalid)
    expect(await withExtension(new Uint8Array(0))).toBe(certificateInvalid)
    expect(await withExtension(der(0x30))).toBe(certificateInvalid)
    expect(await withExtension(der(0x04, Uint8Array.of(1)))).toBe(certificateInvalid)
    expect(await fieldsOf((fields) => fields)).toBe('ok')
    expect(await fieldsOf((fields) => [...fields, der(0x04, Uint8Array.of(1))])).toBe(certificateInvalid)
  })

  test('#25 a field twice, missing, short, or with a number out of range', async () => {
    const shortFmspc = pckField([4], der(0x04, fromHex('0000000000')))
    for (const index of [0, 1, 2, 3, 4]) {
      expect(await fieldsOf((fields) => fields.toSpliced(index, 1))).toBe(certificateInvalid)
      expect(await fieldsOf((fields) => [...fields, fields[index] as Uint8Array])).toBe(certificateInvalid)
    }
    expect(await fieldsOf((fields) => fields.toSpliced(3, 1, shortFmspc))).toBe(certificateInvalid)
    const tcbOf = (first: Uint8Array) =>
      codeOfPlan('sgx', (plan) => {
        const [, ...others] = plan.pck.components.map((svn, i) => pckField([2, i + 1], derInteger(svn)))
        const rest = [pckField([2, 17], derInteger(11)), pckField([2, 18], der(0x04, new Uint8Array(16)))]
        const fields = pckFields(plan.pck)
        const tcb = pckField([2], der(0x30, first, ...others, ...rest))
        plan.extension = der(0x30, ...fields.toSpliced(1, 1, tcb))
      })
    expect(await tcbOf(pckField([2, 1], derInteger(255)))).toBe('ok')
    expect(await tcbOf(pckField([2, 1], derInteger(256)))).toBe(certificateInvalid)
    expect(await tcbOf(pckField([2, 1], der(0x02, Uint8Array.of(0xff))))).toBe(certificateInvalid)
    expect(await tcbOf(pckField([2, 1], der(0x02, Uint8Array.of(0, 5))))).toBe(certificateInvalid)
    expect(await tcbOf(pckField([2, 1], der(0x02)))).toBe(certificateInvalid)
    expect(await tcbOf(pckField([3, 1], derInteger(5)))).toBe(certificateInvalid)
    expect(await tcbOf(pckField([2, 2], derInteger(5)))).toBe(certificateInvalid)
  })
})

describe('revocation lists', () => {
  const withCrl = async (name: string, crl: (made: DcapMade) => Promise<Uint8Array> | Uint8Array | null) => {
    const made = await makeDcap('sgx')
    const der = await crl(made)
    if (der === null) made.collateral.delete(name)
    else made.collateral.set(name, der)
    return await codeOfMade(made)
  }
  const flipped = (bytes: Uint8Array | undefined, at: number) =>
    (bytes as Uint8Array).map((byte, i, { length }) => (i === length + at ? byte ^ 1 : byte))

  test.each(['intel/pck-crl/platform', 'intel/root-crl'])(
    '#27 %s missing, empty, or something else',
    async (name) => {
      expect(await withCrl(name, () => null)).toBe('ATTESTATION_COLLATERAL_MISSING')
      expect(await withCrl(name, () => new Uint8Array(0))).toBe(revocationUnknown)
      expect(await withCrl(name, () => utf8Bytes('-----BEGIN X509 CRL-----'))).toBe(revocationUnknown)
      expect(await withCrl(name, ({ root }) => root.certificate.der)).toBe(revocationUnknown)
    },
  )

  test('#28 a changed list, one by another key, one of another authority', async () => {
    const [pck, root] = ['intel/pck-crl/platform', 'intel/root-crl'] as const
    for (const name of [pck, root]) {
      expect(await withCrl(name, ({ collateral }) => flipped(collateral.get(name), -1))).toBe(
        revocationUnknown,
      )
    }
    const issuerName = 'Intel SGX PCK Platform CA'
    expect(await withCrl(pck, ({ root }) => makeCrl(root, { issuerName }))).toBe(revocationUnknown)
    expect(await withCrl(pck, ({ leaf }) => makeCrl(leaf, { issuerName }))).toBe(revocationUnknown)
    const otherName = 'Intel SGX PCK Processor CA'
    expect(await withCrl(pck, ({ authority }) => makeCrl(authority, { issuerName: otherName }))).toBe(
      revocationUnknown,
    )
    expect(await withCrl(pck, ({ collateral }) => collateral.get(root) as Uint8Array)).toBe(revocationUnknown)
    expect(await withCrl(root, ({ collateral }) => collateral.get(pck) as Uint8Array)).toBe(revocationUnknown)
  })

  test.each<readonly [string, CrlOptions]>([
    ['past its end', { nextUpdateMs: chainNowMs - 1000 }],
    ['from the future', { thisUpdateMs: chainNowMs + 1000 }],
    ['without an end', { nextUpdateMs: null }],
  ])('#29 a list %s', async (_, options) => {
    expect(await codeOfPlan('sgx', (plan) => Object.assign(plan, { pckCrl: options }))).toBe(
      revocationUnknown,
    )
    expect(await codeOfPlan('sgx', (plan) => Object.assign(plan, { rootCrl: options }))).toBe(
      revocationUnknown,
    )
  })
})

describe('tables that Intel signs', () => {
  const [tcb, qe] = [`intel/sgx/tcb/${fmspc}`, 'intel/sgx/qe-identity']
  const edited = async (name: string, edit: (text: string, made: DcapMade) => string) => {
    const made = await makeDcap('sgx')
    const before = made.collateral.get(name) as Uint8Array
    const after = utf8Bytes(edit(new TextDecoder().decode(before), made))
    expect(equalBytes(before, after)).toBe(false)
    made.collateral.set(name, after)
    return await codeOfMade(made)
  }

  test('#30 an edited status or SVN', async () => {
    expect(await edited(tcb, (text) => text.replace('OutOfDate', 'UpToDate'))).toBe(collateralInvalid)
    expect(await edited(tcb, (text) => text.replace('"svn":5', '"svn":0'))).toBe(collateralInvalid)
    expect(await edited(qe, (text) => text.replace('"isvsvn":8', '"isvsvn":0'))).toBe(collateralInvalid)
  })

  test('#31 written anew, in another order, or with a name twice', async () => {
    for (const name of [tcb, qe]) {
      const member = name === tcb ? 'tcbInfo' : 'enclaveIdentity'
      const inner = (text: string) => JSON.parse(text)[member]
      const replaced = (text: string, value: string) =>
        `{"${member}":${value},"signature":"${JSON.parse(text).signature}"}`
      expect(await edited(name, (text) => replaced(text, JSON.stringify(inner(text), null, 1)))).toBe(
        collateralInvalid,
      )
      expect(
        await edited(name, (text) =>
          replaced(text, JSON.stringify(Object.fromEntries(Object.entries(inner(text)).toReversed()))),
        ),
      ).toBe(collateralInvalid)
      // What is signed comes last, or first: whichever a reader takes, the other was not signed.
      const signed = (text: string) => JSON.stringify(inner(text))
      const signature = (text: string) => `"signature":"${JSON.parse(text).signature}"`
      expect(
        await edited(name, (t) => `{"${member}":${signed(t)},"${member}":${signed(t)},${signature(t)}}`),
      ).toBe(collateralInvalid)
      expect(await edited(name, (t) => `{"${member}":${signed(t)},${signature(t)},"more":1}`)).toBe(
        collateralInvalid,
      )
      expect(await edited(name, (t) => `{"${member}":${signed(t)}}`)).toBe(collateralInvalid)
      expect(await edited(name, (t) => `[${t}]`)).toBe(collateralInvalid)
      expect(await edited(name, (t) => `\ufeff${t}`)).toBe(collateralInvalid)
      // Around the signed object, nothing counts.
      expect(await edited(name, (t) => ` { ${signature(t)} ,\n "${member}" : ${signed(t)} } `)).toBe('ok')
    }
  })

  test('#31 a name twice in a signed object', async () => {
    const made = await makeDcap('sgx')
    const text = new TextDecoder().decode(made.collateral.get(tcb))
    const value = JSON.stringify(JSON.parse(text).tcbInfo).replace(
      '{"id"',
      '{"version":2,"\\u0069d":"TDX","id"',
    )
    const { privateKey } = made.signer.keys
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
    const signature = new Uint8Array(await crypto.subtle.sign(algorithm, privateKey, utf8Bytes(value)))
    made.collateral.set(tcb, utf8Bytes(`{"tcbInfo":${value},"signature":"${toHex(signature)}"}`))
    expect(await codeOfMade(made)).toBe(collateralInvalid)
  })

  test('#32 signed by another than the certificate for it', async () => {
    for (const issuer of ['leaf', 'authority', 'root'] as const) {
      const made = await makeDcap('sgx')
      const text = new TextDecoder().decode(made.collateral.get(tcb))
      made.collateral.set(tcb, await signedJson('tcbInfo', JSON.parse(text).tcbInfo, made[issuer].keys))
      expect(await codeOfMade(made)).toBe(collateralInvalid)
      const chain = [made[issuer], made.authority, made.root].map(({ certificate }) => certificate)
      for (const certificates of [
        chain,
        chain.slice(0, 2),
        [made[issuer].certificate, made.root.certificate],
      ]) {
        made.collateral.set(`${tcb}/issuer-chain`, utf8Bytes(pemOf(...certificates)))
        expect(await codeOfMade(made)).toBe(certificateInvalid)
      }
    }
    const asAuthority = (plan: DcapPlan) => Object.assign(plan, { signerIssuer: 'authority' })
    expect(await codeOfPlan('sgx', asAuthority)).toBe(certificateInvalid)
  })

  test('#32 under another root', async () => {
    const [made, other] = [await makeDcap('sgx'), await makeDcap('sgx')]
    for (const name of [tcb, qe]) {
      const collateral = new Map([...made.collateral])
      for (const it of [name, `${name}/issuer-chain`])
        collateral.set(it, other.collateral.get(it) as Uint8Array)
      expect(await codeOfMade({ ...made, context: { ...made.context, collateral } })).toBe(
        'ATTESTATION_ROOT_UNKNOWN',
      )
    }
  })

  test.each(['tcbInfo', 'qeIdentity'] as const)(
    '#33 %s past its end, from the future, or of another form',
    async (table) => {
      const withTable = (changes: object) => codeOfPlan('sgx', (plan) => Object.assign(plan[table], changes))
      expect(await withTable({ nextUpdate: '2026-05-31T23:59:59Z' })).toBe(collateralExpired)
      expect(await withTable({ issueDate: '2026-06-01T00:00:01Z' })).toBe(collateralExpired)
      for (const nextUpdate of [
        '2026-13-01T00:00:00Z',
        '2026-12-01',
        '9999-12-31T00:00:00',
        1,
        null,
        undefined,
      ]) {
        expect(await withTable({ nextUpdate })).toBe(collateralInvalid)
      }
      expect(await withTable({ version: 4 })).toBe(collateralInvalid)
      expect(await withTable({ version: '3' })).toBe(collateralInvalid)
      expect(await withTable({ tcbLevels: [] })).toBe(collateralInvalid)
      expect(await withTable({ tcbEvaluationDataNumber: undefined })).toBe(collateralInvalid)
      expect(await withTable({ member: 'that is new' })).toBe('ok')
    },
  )

  test.each<Attack>([
    ['FMSPC', (plan) => Object.assign(plan.tcbInfo, { fmspc: '00906ED50001' }), collateralInvalid],
    ['PCEID', (plan) => Object.assign(plan.tcbInfo, { pceId: '0100' }), collateralInvalid],
    [
      'kind of the TCB info',
      (plan) => Object.assign(plan.tcbInfo, { id: plan.teeType === 0 ? 'TDX' : 'SGX' }),
      collateralInvalid,
    ],
    ['kind of TCB', (plan) => Object.assign(plan.tcbInfo, { tcbType: 1 }), collateralInvalid],
    [
      'kind of the quoting enclave',
      (plan) => Object.assign(plan.qeIdentity, { id: plan.teeType === 0 ? 'TD_QE' : 'QE' }),
      collateralInvalid,
    ],
    [
      'enclave that verifies quotes',
      (plan) => Object.assign(plan.qeIdentity, { id: 'QVE' }),
      collateralInvalid,
    ],
  ])('#34 another %s', async (_, edit, code) => {
    expect(await codeOfPlan('sgx', edit)).toBe(code)
    expect(await codeOfPlan('tdx', edit)).toBe(code)
  })

  test('#76 each of them is needed', async () => {
    for (const tee of ['sgx', 'tdx'] as const) {
      const made = await makeDcap(tee)
      for (const name of made.collateral.keys()) {
        const collateral = new Map([...made.collateral].filter(([it]) => it !== name))
        expect(await codeOfMade({ ...made, context: { ...made.context, collateral } })).toBe(
          'ATTESTATION_COLLATERAL_MISSING',
        )
      }
    }
  })

  test('#80 what is longer than any table, or nested deeper', async () => {
    expect(await edited(tcb, (text) => `${text}${' '.repeat(262_144)}`)).toBe(collateralInvalid)
    const nestedIn = (depth: number) =>
      codeOfPlan('sgx', (plan) => {
        plan.tcbInfo.member = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)
      })
    expect(await nestedIn(14)).toBe('ok')
    expect(await nestedIn(15)).toBe(collateralInvalid)
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    expect(await edited(tcb, (text) => text.replace('"tcbType":0', `"tcbType":0,"x":${nested}`))).toBe(
      collateralInvalid,
    )
  })
})

describe('levels of the TCB', () => {
  const statusOf = async (edit: (plan: DcapPlan) => unknown, tee: 'sgx' | 'tdx' = 'sgx') => {
    const made = await makeDcap(tee, edit)
    try {
      return (await examineMade(made)).tcbStatus
    } catch (error) {
      return (error as { code: string }).code
    }
  }

  test('#35 one component or PCESVN that is one lower', async () => {
    for (let i = 0; i < 16; i++) {
      expect(await statusOf((plan) => Object.assign(plan.pck.components, { [i]: 4 }))).toBe('OutOfDate')
    }
    expect(await statusOf((plan) => Object.assign(plan.pck, { pceSvn: 10 }))).toBe(tcbRevoked)
    expect(await statusOf((plan) => Object.assign(plan.pck.components, { 15: 3 }))).toBe(tcbRevoked)
    expect(await statusOf((plan) => Object.assign(plan.pck.components, { 3: 1 }))).toBe(tcbRevoked)
    expect(await statusOf((plan) => Object.assign(plan.pck.components, { 3: 200 }))).toBe('UpToDate')
  })

  test('#35 levels that are not in descending order', async () => {
    expect(await statusOf((plan) => plan.tcbInfo.tcbLevels.reverse())).toBe(collateralInvalid)
    expect(await statusOf((plan) => plan.tcbInfo.tcbLevels.push(plan.tcbInfo.tcbLevels[0]))).toBe(
      collateralInvalid,
    )
    expect(await statusOf((plan) => plan.qeIdentity.tcbLevels.reverse())).toBe(collateralInvalid)
    expect(await statusOf((plan) => plan.qeIdentity.tcbLevels.push(isvLevel(4, 'UpToDate')))).toBe(
      collateralInvalid,
    )
    const modules = (plan: DcapPlan) => plan.tcbInfo.tdxModuleIdentities[0].tcbLevels.reverse()
    expect(await statusOf(modules, 'tdx')).toBe(collateralInvalid)
  })

  test('#10 #38 every status is told, an unknown one refused', async () => {
    for (const status of [
      'UpToDate',
      'SWHardeningNeeded',
      'ConfigurationNeeded',
      'ConfigurationAndSWHardeningNeeded',
      'OutOfDate',
      'OutOfDateConfigurationNeeded',
    ]) {
      expect(await statusOf((plan) => Object.assign(plan.tcbInfo.tcbLevels[0], { tcbStatus: status }))).toBe(
        status,
      )
    }
    expect(await statusOf((plan) => Object.assign(plan.tcbInfo.tcbLevels[0], { tcbStatus: 'Revoked' }))).toBe(
      tcbRevoked,
    )
    for (const status of ['uptodate', 'UpToDate ', 'TDRelaunchAdvised', '', null]) {
      expect(await statusOf((plan) => Object.assign(plan.tcbInfo.tcbLevels[2], { tcbStatus: status }))).toBe(
        collateralInvalid,
      )
    }
    expect(
      await statusOf((plan) => Object.assign(plan.qeIdentity.tcbLevels[2], { tcbStatus: 'Unknown' })),
    ).toBe(collateralInvalid)
  })
})

describe('report data', () => {
  const expectReportData = async (tee: 'sgx' | 'tdx', expectedReportData: Uint8Array) => {
    const { bytes, context } = await makeDcap(tee)
    const verifier: EvidenceVerifier = tee === 'sgx' ? sgxVerifier : tdxVerifier
    return await codeOf(() => verifier.verify({ platform: tee, bytes }, { ...context, expectedReportData }))
  }

  test.each(['sgx', 'tdx'] as const)(
    '#12 #13 #71 %s: only the whole of it, and never nothing',
    async (tee) => {
      const code = 'ATTESTATION_REPORT_DATA_MISMATCH'
      expect(await expectReportData(tee, madeReportData)).toBe('ok')
      expect(await expectReportData(tee, new Uint8Array(0))).toBe(code)
      expect(await expectReportData(tee, madeReportData.slice(0, 32))).toBe(code)
      expect(await expectReportData(tee, concatBytes(madeReportData, new Uint8Array(1)))).toBe(code)
      expect(await expectReportData(tee, new Uint8Array(64))).toBe(code)
      expect(
        await expectReportData(
          tee,
          madeReportData.map((byte, i) => (i === 63 ? byte ^ 1 : byte)),
        ),
      ).toBe(code)
    },
  )

  test('#78 the newest date of what was signed is told, for a clock that was set back', async () => {
    const made = await makeDcap('sgx', (plan) => {
      plan.pckCrl = { thisUpdateMs: chainNowMs - dayMs }
    })
    expect((await examineMade(made)).newestSignedAtMs).toBe(chainNowMs - dayMs)
  })

  test('#79 a refusal tells neither PPID nor evidence', async () => {
    const ppid = 'b1'.repeat(16)
    const edits: ((plan: DcapPlan) => unknown)[] = [
      (plan) => Object.assign(plan.pck, { pceSvn: 1 }),
      (plan) => Object.assign(plan.tcbInfo, { fmspc: '000000000000' }),
      (plan) => Object.assign(plan, { pckCrl: { revokedSerials: ['03'] } }),
      (plan) => Object.assign(plan, { bindsKey: false }),
      (plan) => plan.body.set([0x80], tdAt.seamAttributes),
    ]
    for (const edit of edits) {
      const { bytes, context } = await makeDcap('tdx', edit)
      const error = await examineMade({ tee: 'tdx', bytes, context }).then(
        () => null,
        (it: Error) => it,
      )
      expect(error?.message).toEqual(expect.any(String))
      expect(error?.message).not.toContain(ppid)
      expect(error?.message.length).toBeLessThan(400)
    }
  })
})
