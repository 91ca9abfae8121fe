// SPDX-License-Identifier: Apache-2.0

import { concatBytes, encodeCbor, fromHex, sha256, toHex } from '@mlcapsule/crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { type AuthorityChain, type ChainChanges, chainNowMs, p256 } from '../../../test/certificates.ts'
import { codeOf } from '../../../test/errors.ts'
import {
  type MessageChanges,
  nitroChain,
  nitroDocument,
  nitroPayload,
  nitroReportData,
  nitroTestStore,
  type PayloadChanges,
  pcr,
  signNitro,
} from '../../../test/nitro.ts'
import { noCollateral } from '../../collateral/collateral.ts'
import type { VerifyContext } from '../../evidence/verifier.ts'
import { KeyUsageFlags } from '../../x509/library.ts'
import { type NitroTrustStore, nitroTrustStore, nitroVerifier, parseNitroDocument } from './index.ts'

const malformed = 'ATTESTATION_EVIDENCE_MALFORMED'
const unsupported = 'ATTESTATION_EVIDENCE_UNSUPPORTED'
const badSignature = 'ATTESTATION_SIGNATURE_INVALID'
const badCertificate = 'ATTESTATION_CERTIFICATE_INVALID'
const expired = 'ATTESTATION_CERTIFICATE_EXPIRED'
const unknownRoot = 'ATTESTATION_ROOT_UNKNOWN'
const otherReportData = 'ATTESTATION_REPORT_DATA_MISMATCH'

let chain: AuthorityChain
let alike: AuthorityChain

beforeAll(async () => {
  ;[chain, alike] = await Promise.all([nitroChain(), nitroChain()])
})

const verify = (bytes: Uint8Array, changes: Partial<VerifyContext<NitroTrustStore>> = {}) =>
  nitroVerifier.verify(
    { platform: 'nitro', bytes },
    {
      nowMs: chainNowMs,
      trustStore: nitroTestStore(chain),
      collateral: noCollateral,
      expectedReportData: nitroReportData,
      ...changes,
    },
  )
const codeOfDocument = async (payload: PayloadChanges, message: MessageChanges = {}) =>
  codeOf(async () => verify(await nitroDocument(chain, payload, message)))
const codeOfChain = async (changes: ChainChanges) => {
  const made = await nitroChain(changes)
  return codeOf(async () => verify(await nitroDocument(made), { trustStore: nitroTestStore(made) }))
}

/** A payload in maps without their length, as newer modules write it. */
function indefinite(payload: object): Uint8Array {
  const members = Object.entries(payload).flatMap(([name, value]) => {
    if (!(value instanceof Map)) return [encodeCbor(name), encodeCbor(value)]
    const entries = [...value].flatMap(([index, it]) => [encodeCbor(index), encodeCbor(it)])
    return [encodeCbor(name), Uint8Array.of(0xbf), ...entries, Uint8Array.of(0xff)]
  })
  return concatBytes(Uint8Array.of(0xbf), ...members, Uint8Array.of(0xff))
}

describe('genuine documents', () => {
  test('what is shown', async () => {
    const bytes = await nitroDocument(chain)
    expect(nitroVerifier.collateralNames({ platform: 'nitro', bytes })).toEqual([[]])
    expect(await verify(bytes)).toEqual({
      platform: 'nitro',
      rootKind: 'hardware',
      tier: 'nitro',
      root: toHex(sha256(chain.root.certificate.der)),
      manifestSha384: null,
      measurement: {
        pcr0: 'a0'.repeat(48),
        pcr1: 'a1'.repeat(48),
        pcr2: 'a2'.repeat(48),
        pcr3: '00'.repeat(48),
        pcr4: 'a4'.repeat(48),
      },
      debug: false,
      tcbStatus: 'none',
      advisoryIds: [],
      producedAtMs: chainNowMs - 60_000,
      newestSignedAtMs: Date.UTC(2026, 0, 1),
      claims: {
        moduleId: 'i-0-enc0',
        timestampMs: chainNowMs - 60_000,
        timestampAgeMs: 60_000,
        pcrs: {
          0: 'a0'.repeat(48),
          1: 'a1'.repeat(48),
          2: 'a2'.repeat(48),
          3: '00'.repeat(48),
          4: 'a4'.repeat(48),
        },
        publicKey: null,
        userData: '07'.repeat(64),
        nonce: null,
      },
    })
  })

  test('with the tag of the message, in maps without their length, and without what may be left out', async () => {
    const bytes = await nitroDocument(chain)
    expect(await codeOf(() => verify(concatBytes(Uint8Array.of(0xd2), bytes)))).toBe('ok')
    const open = await signNitro(indefinite(nitroPayload(chain)), chain)
    expect(await codeOf(() => verify(open))).toBe('ok')
    expect(await codeOfDocument({ public_key: undefined, nonce: undefined })).toBe('ok')
    expect(await codeOfDocument({ public_key: new Uint8Array(1024), nonce: new Uint8Array(512) })).toBe('ok')
  })

  test('#57 #52 one that runs for debugging says so', async () => {
    const debugOf = async (pcrs: ReadonlyMap<number, Uint8Array>) =>
      (await verify(await nitroDocument(chain, { pcrs }))).debug
    const zeros = [0, 1, 2].map((it) => [it, pcr(0)] as const)
    expect(await debugOf(new Map(zeros))).toBe(true)
    expect(await debugOf(new Map([...zeros, [8, pcr(9)]]))).toBe(true)
    expect(await debugOf(new Map([...zeros, [2, pcr(1)]]))).toBe(false)
  })
})

describe('messages', () => {
  test('#1 #2 cut, empty, longer, and with bytes behind', async () => {
    const bytes = await nitroDocument(chain)
    for (let sizeBytes = 0; sizeBytes < bytes.length; sizeBytes += 7) {
      expect(await codeOf(() => verify(bytes.subarray(0, sizeBytes)))).toBe(malformed)
    }
    for (const more of [1, 20_000]) {
      expect(await codeOf(() => verify(concatBytes(bytes, new Uint8Array(more))))).toBe(malformed)
    }
  })

  test('#3 #60 signatures of zeros, above the curve, of another length, by SHA-256', async () => {
    const bytes = await nitroDocument(chain)
    const codeWith = (change: (copy: Uint8Array) => void) => {
      const copy = bytes.slice()
      change(copy)
      return codeOf(() => verify(copy))
    }
    const at = bytes.length - 96
    expect(await codeWith((it) => it.fill(0, at))).toBe(badSignature)
    expect(await codeWith((it) => it.fill(0, at, at + 48))).toBe(badSignature)
    expect(await codeWith((it) => it.fill(0, at + 48))).toBe(badSignature)
    expect(await codeWith((it) => it.fill(0xff, at))).toBe(badSignature)
    expect(await codeOfDocument({}, { hash: 'SHA-256' })).toBe(badSignature)
    const [header, unprotected, payload] = [encodeCbor(new Map([[1, -35]])), new Map(), new Uint8Array(9)]
    for (const size of [0, 64, 95, 97, 104]) {
      const short = encodeCbor([header, unprotected, payload, new Uint8Array(size)])
      expect(await codeOf(() => verify(short))).toBe(malformed)
    }
  })

  test('#4 #58 a signature by another key, and one that is not of a COSE_Sign1: both are read, neither verified', async () => {
    const other = await signNitro(encodeCbor(nitroPayload(chain)), alike)
    expect(parseNitroDocument(other).moduleId).toBe('i-0-enc0')
    expect(await codeOf(() => verify(other))).toBe(badSignature)
    expect(await codeOfDocument({}, { context: 'Signature' })).toBe(badSignature)
  })

  test.each<[string, MessageChanges, string]>([
    ['#60 ES256', { protectedHeader: new Map([[1, -7]]) }, unsupported],
    ['#60 ES512', { protectedHeader: new Map([[1, -36]]) }, unsupported],
    ['#60 no algorithm', { protectedHeader: new Map() }, unsupported],
    [
      '#60 the algorithm in the unprotected header alone',
      { protectedHeader: new Map(), unprotected: new Map([[1, -35]]) },
      malformed,
    ],
    ['#60 another one in the unprotected header', { unprotected: new Map([[1, -7]]) }, malformed],
    ['#14 a key in the unprotected header', { unprotected: new Map([[33, new Uint8Array(9)]]) }, malformed],
    [
      '#10 a critical header',
      {
        protectedHeader: new Map<number, unknown>([
          [1, -35],
          [2, [1]],
        ]),
      },
      malformed,
    ],
    [
      '#10 one more header',
      {
        protectedHeader: new Map([
          [1, -35],
          [3, 0],
        ]),
      },
      unsupported,
    ],
    ['#60 the algorithm by its name', { protectedHeader: new Map([[1, 'ES384']]) }, unsupported],
  ])('%s', async (_name, message, expected) => {
    expect(await codeOfDocument({}, message)).toBe(expected)
  })

  test.each<[string, string]>([
    ['#15 a quote of another platform', '0300020000000000'],
    ['#80 what nests without end', '81'.repeat(9000)],
    ['#80 an array that says to be longest', '9bffffffffffffffff'],
    ['#80 bytes that say to be longest', '5bffffffffffffffff'],
    ['an array of three', '8340a040'],
    ['an array of five', '8540a0404000'],
    ['a map', 'a0'],
    ['no bytes in front', '8400a04040'],
    ['an array for the unprotected header', '8440804040'],
    ['no bytes for the payload', '8440a0f640'],
    ['the tag of another message', 'd28440a04040'.replace('d2', 'd1')],
    ['the tag twice', 'd2d28440a04040'],
  ])('%s', async (_name, hex) => {
    expect(await codeOf(() => verify(fromHex(hex)))).toBe(malformed)
  })
})

describe('payloads', () => {
  const pcrs = (...entries: readonly (readonly [unknown, unknown])[]) => ({
    pcrs: new Map<unknown, unknown>([[0, pcr(1)], [1, pcr(2)], [2, pcr(3)], ...entries]),
  })
  test.each<[string, PayloadChanges]>([
    ...['module_id', 'digest', 'timestamp', 'pcrs', 'certificate', 'cabundle'].flatMap(
      (name): [string, PayloadChanges][] => [
        [`#61 no ${name}`, { [name]: undefined }],
        [`#61 null for ${name}`, { [name]: null }],
      ],
    ),
    ['#61 an empty module_id', { module_id: '' }],
    ['#61 a module_id without end', { module_id: 'x'.repeat(257) }],
    ['#61 another digest', { digest: 'SHA512' }],
    ['#61 a digest in small letters', { digest: 'sha384' }],
    ['#61 a timestamp of zero', { timestamp: 0 }],
    ['#61 a timestamp before 1970', { timestamp: -1 }],
    ['#61 a timestamp beyond the numbers', { timestamp: 2n ** 63n }],
    ['#61 a timestamp in text', { timestamp: '1' }],
    ['#57 no PCR 0', { pcrs: new Map([1, 2, 8].map((it) => [it, pcr(it)])) }],
    ['#57 PCR 8 alone', { pcrs: new Map([[8, pcr(1)]]) }],
    ['#57 PCR 0 alone', { pcrs: new Map([[0, pcr(1)]]) }],
    ['#61 no PCR', { pcrs: new Map() }],
    ['#61 PCR 32', pcrs([32, pcr(1)])],
    ['#61 PCR -1', pcrs([-1, pcr(1)])],
    ['#61 a PCR by name', pcrs(['3', pcr(1)])],
    ['#61 a PCR of 33 bytes', pcrs([3, new Uint8Array(33)])],
    ['#61 a PCR of 32 bytes', pcrs([3, new Uint8Array(32)])],
    ['#61 a PCR in hex', pcrs([3, '00'.repeat(48)])],
    ['#61 an empty certificate', { certificate: new Uint8Array(0) }],
    ['#61 a certificate beyond 1,024 bytes', { certificate: new Uint8Array(1025) }],
    ['#59 no issuers', { cabundle: [] }],
    ['#59 an issuer that is no bytes', { cabundle: ['x'] }],
    ['#80 eight issuers', { cabundle: Array.from({ length: 8 }, () => new Uint8Array(1)) }],
    ['#61 user_data beyond 512 bytes', { user_data: new Uint8Array(513) }],
    ['#61 a nonce beyond 512 bytes', { nonce: new Uint8Array(513) }],
    ['#61 a public_key beyond 1,024 bytes', { public_key: new Uint8Array(1025) }],
    ['#61 user_data in text', { user_data: 'x' }],
    ['#61 a member that is not known', { signer: 'x' }],
    ['#64 no PCRs of a NitroTPM, but their name', { nitrotpm_pcrs: null }],
    ['#64 PCRs of a NitroTPM beside', { nitrotpm_pcrs: new Map([[0, pcr(1)]]) }],
    ['#64 PCRs of a NitroTPM instead', { pcrs: undefined, nitrotpm_pcrs: new Map([[0, pcr(1)]]) }],
  ])('%s', async (_name, payload) => {
    expect(await codeOfDocument(payload)).toBe(malformed)
  })

  test('#61 keys that come twice, in the payload and among the PCRs', async () => {
    const payload = nitroPayload(chain)
    const twice = concatBytes(
      indefinite(payload).subarray(0, -1),
      encodeCbor('digest'),
      encodeCbor('SHA384'),
      Uint8Array.of(0xff),
    )
    expect(await codeOf(async () => verify(await signNitro(twice, chain)))).toBe(malformed)
    const bytes = toHex(indefinite(payload))
    // PCR 4 called PCR 0 again.
    const again = fromHex(bytes.replace(`045830${'a4'.repeat(48)}`, `005830${'a4'.repeat(48)}`))
    expect(again).not.toEqual(fromHex(bytes))
    expect(await codeOf(async () => verify(await signNitro(again, chain)))).toBe(malformed)
    const spelled = fromHex(bytes.replace(`045830${'a4'.repeat(48)}`, `18005830${'a4'.repeat(48)}`))
    expect(await codeOf(async () => verify(await signNitro(spelled, chain)))).toBe(malformed)
  })

  test('#80 a payload that nests', async () => {
    const nested = encodeCbor({ ...nitroPayload(chain), nonce: [[[[new Uint8Array(1)]]]] })
    expect(await codeOf(async () => verify(await signNitro(nested, chain)))).toBe(malformed)
  })

  test('#12 #13 #63 #71 other report data, shorter, longer, none, or elsewhere', async () => {
    for (const user_data of [
      null,
      undefined,
      new Uint8Array(0),
      new Uint8Array(64),
      nitroReportData.slice(1),
    ]) {
      expect(await codeOfDocument({ user_data })).toBe(otherReportData)
    }
    const elsewhere = { user_data: null, nonce: nitroReportData, public_key: nitroReportData }
    expect(await codeOfDocument(elsewhere)).toBe(otherReportData)
    expect(await codeOfDocument({ user_data: concatBytes(nitroReportData, Uint8Array.of(0)) })).toBe(
      otherReportData,
    )
    const empty = await nitroDocument(chain, { user_data: new Uint8Array(0) })
    const context = { expectedReportData: new Uint8Array(0) }
    expect(await codeOf(() => verify(empty, context))).toBe(otherReportData)
  })
})

describe('chains', () => {
  test.each<[string, ChainChanges, string]>([
    ['#7 an authority that is none', { middle: { isCa: false } }, badCertificate],
    [
      '#7 an authority that may not sign certificates',
      { middle: { keyUsage: KeyUsageFlags.digitalSignature } },
      badCertificate,
    ],
    ['#7 a module that is an authority', { leaf: { isCa: true } }, badCertificate],
    ['#7 a module that may not sign', { leaf: { keyUsage: KeyUsageFlags.keyAgreement } }, badCertificate],
    ['#7 a module that does not say what it may', { leaf: { keyUsage: null } }, badCertificate],
    ['#7 a path longer than the root allows', { root: { pathLength: 0 } }, badCertificate],
    ['#8 another issuer', { leaf: { issuerName: 'another' } }, badCertificate],
    ['#9 #62 a module that has expired', { leaf: { notAfterMs: chainNowMs - 1000 } }, expired],
    ['#9 a module of tomorrow', { leaf: { notBeforeMs: chainNowMs + 1000 } }, expired],
    ['#9 an authority that has expired', { middle: { notAfterMs: chainNowMs - 1000 } }, expired],
    ['#9 a root that has expired', { root: { notAfterMs: chainNowMs - 1000 } }, expired],
    ['in order', {}, 'ok'],
  ])('%s', async (_name, changes, expected) => {
    expect(await codeOfChain(changes)).toBe(expected)
  })

  test('#9 #62 the clock is that of the caller, not of the document', async () => {
    const bytes = await nitroDocument(chain, { timestamp: chainNowMs })
    expect(await codeOf(() => verify(bytes, { nowMs: Date.UTC(2027, 0, 2) }))).toBe(expired)
    expect(await codeOf(() => verify(bytes, { nowMs: Date.UTC(2026, 11, 31) }))).toBe('ok')
  })

  test('#5 #59 a root of the same name, and none that is trusted', async () => {
    const bytes = await nitroDocument(alike)
    expect(await codeOf(() => verify(bytes))).toBe(unknownRoot)
    expect(await codeOf(() => verify(bytes, { trustStore: nitroTrustStore() }))).toBe(unknownRoot)
    expect(await codeOf(() => verify(bytes, { trustStore: nitroTrustStore([]) }))).toBe(unknownRoot)
  })

  test('#6 #59 bundles with the trusted root before others, out of order, without one, with one too many', async () => {
    const [root, middle] = [chain.root.certificate.der, chain.middle.certificate.der]
    const codes = await Promise.all(
      [
        [root, alike.middle.certificate.der],
        [middle, root],
        [root],
        [middle],
        [root, root, middle],
        [root, middle, middle],
      ].map((cabundle) => codeOfDocument({ cabundle })),
    )
    expect(codes).toEqual([
      badCertificate,
      unknownRoot,
      badCertificate,
      unknownRoot,
      badCertificate,
      badCertificate,
    ])
  })

  test('#6 the certificate of another chain, signed by its key', async () => {
    const { der } = alike.leaf.certificate
    const bytes = await signNitro(encodeCbor(nitroPayload(chain, { certificate: der })), alike)
    expect(await codeOf(() => verify(bytes))).toBe(badCertificate)
  })

  test('#60 a module with a key on another curve', async () => {
    const made = await nitroChain({}, p256)
    const bytes = await nitroDocument(made)
    expect(await codeOf(() => verify(bytes, { trustStore: nitroTestStore(made) }))).toBe(malformed)
    const padded = await nitroDocument({ ...made, leaf: { ...made.leaf, keys: chain.leaf.keys } })
    expect(await codeOf(() => verify(padded, { trustStore: nitroTestStore(made) }))).toBe(badSignature)
  })
})
