// SPDX-License-Identifier: Apache-2.0
import {
  cryptoReady,
  encodeCbor,
  generateSigningKeyPair,
  keyThumbprint,
  sha256,
  toHex,
} from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { isAttestationError } from '../../../test/errors.ts'
import {
  akAttributes,
  akAuthority,
  credentialFor,
  ekRoot,
  makeAk,
  pcrValue,
  publicArea,
  quotedPcrs,
  type TestAk,
  testPcrs,
  tpmEvidence,
  tpmNowMs,
} from '../../../test/tpm.ts'
import { nowMs, policyJson } from '../../../test/world.ts'
import { appraise } from '../../appraise/appraise.ts'
import { noCollateral } from '../../collateral/collateral.ts'
import { parsePolicy } from '../../policy/policy.ts'
import { tpmQualifyingData } from '../../report/claims.ts'
import { createSimulatedRoot, simulatedAttester } from '../../simulated/index.ts'
import { parseTpmEvidence } from './evidence.ts'
import { assertAttestationKey, parsePublicArea } from './public-area.ts'
import { type TpmTrustStore, tpmTrustStore, tpmVerifier } from './verifier.ts'

const malformed = 'ATTESTATION_EVIDENCE_MALFORMED'
const unsupported = 'ATTESTATION_EVIDENCE_UNSUPPORTED'
const unknownRoot = 'ATTESTATION_ROOT_UNKNOWN'
const foreign = 'ATTESTATION_ENDORSEMENT_MISMATCH'

const reportData = new Uint8Array(64).fill(9)
const extraData = tpmQualifyingData(reportData)

let ak: TestAk
let trustStore: TpmTrustStore
beforeAll(async () => {
  await cryptoReady()
  ak = await makeAk()
  trustStore = tpmTrustStore({ authorities: [keyThumbprint(akAuthority().publicKey)], ekRoots: [ekRoot] })
})

const verify = (bytes: Uint8Array, changes: object = {}) =>
  tpmVerifier.verify(
    { platform: 'tpm', bytes },
    { nowMs: tpmNowMs, trustStore, collateral: noCollateral, expectedReportData: reportData, ...changes },
  )
const codeFor = async (evidence: Uint8Array | Promise<Uint8Array>, changes: object = {}) => {
  const bytes = await evidence
  return await codeOf(() => verify(bytes, changes))
}

describe('evidence of a TPM', () => {
  test('shows registers, tier process, and the root of its maker', async () => {
    const bytes = await tpmEvidence(ak, { extraData })
    expect(tpmVerifier.collateralNames({ platform: 'tpm', bytes })).toEqual([[]])
    expect(await verify(bytes)).toMatchObject({
      platform: 'tpm',
      rootKind: 'hardware',
      tier: 'process',
      root: ekRoot,
      manifestSha384: null,
      debug: false,
      measurement: Object.fromEntries(quotedPcrs.map((pcr) => [`pcr${pcr}`, toHex(pcrValue(pcr))])),
      claims: { akName: toHex(parsePublicArea(ak.publicArea).name), ekRootSpkiSha256: ekRoot },
    })
  })

  test.each(['rsassa', 'rsapss', 'ecdsa'] as const)('of a key of %s', async (scheme) => {
    expect(await codeFor(tpmEvidence(await makeAk(scheme), { extraData }))).toBe('ok')
  })

  test('the name of a key is the hash of its public area', () => {
    expect(parsePublicArea(ak.publicArea)).toMatchObject({
      attributes: akAttributes,
      scheme: { name: 'ecdsa', hashId: 0x0b },
      jwk: { kty: 'EC', crv: 'P-256', x: ak.jwk.x, y: ak.jwk.y },
      name: new Uint8Array([0, 0x0b, ...sha256(ak.publicArea)]),
    })
  })
})

describe('the attack checklist', () => {
  test('#1 #2 #80 cut, extended, empty and oversized evidence', async () => {
    const bytes = await tpmEvidence(ak, { extraData })
    for (let sizeBytes = 0; sizeBytes < bytes.length; sizeBytes += 7) {
      expect(await codeFor(bytes.slice(0, sizeBytes))).toBe(malformed)
    }
    expect(await codeFor(new Uint8Array([...bytes, 0]))).toBe(malformed)
    expect(await codeFor(new Uint8Array(20_000))).toBe(malformed)
    expect(await codeFor(tpmEvidence(ak, {}, { attest: new Uint8Array(3000) }))).toBe(malformed)
    expect(await codeFor(tpmEvidence(ak, {}, { akCredential: 'x'.repeat(5000) }))).toBe(malformed)
  })

  test('#4 a credential by an authority that the trust store does not hold, or by nobody', async () => {
    const authority = generateSigningKeyPair(seeded('stranger'))
    const akCredential = await credentialFor(ak.publicArea, { authority })
    expect(await codeFor(tpmEvidence(ak, { extraData }, { akCredential }))).toBe(unknownRoot)
    for (const none of ['', 'a.b.c']) {
      expect(await codeFor(tpmEvidence(ak, { extraData }, { akCredential: none }))).toBe(malformed)
    }
    const signed = await credentialFor(ak.publicArea)
    const [header, , signature] = signed.split('.')
    const other = (await credentialFor(ak.publicArea, { ekRootSpkiSha256: '33'.repeat(32) })).split('.')[1]
    const forged = `${header}.${other}.${signature}`
    expect(await codeFor(tpmEvidence(ak, { extraData }, { akCredential: forged }))).toBe(
      'ATTESTATION_SIGNATURE_INVALID',
    )
  })

  test('#4 #12 a root of another maker, and trust stores that hold nothing', async () => {
    const akCredential = await credentialFor(ak.publicArea, { ekRootSpkiSha256: '33'.repeat(32) })
    expect(await codeFor(tpmEvidence(ak, { extraData }, { akCredential }))).toBe(unknownRoot)
    const bytes = await tpmEvidence(ak, { extraData })
    for (const empty of [{ authorities: [] }, { ekRoots: [] }]) {
      expect(await codeFor(bytes, { trustStore: { ...trustStore, ...empty } })).toBe(unknownRoot)
    }
  })

  test('#9 a credential that does not hold yet or no longer', async () => {
    const bytes = await tpmEvidence(ak, { extraData })
    const expired = 'ATTESTATION_CERTIFICATE_EXPIRED'
    expect(await codeFor(bytes, { nowMs: tpmNowMs - 1_800_001 })).toBe(expired)
    expect(await codeFor(bytes, { nowMs: tpmNowMs + 1_800_001 })).toBe(expired)
    expect(await codeFor(bytes, { nowMs: tpmNowMs + 1_800_000 })).toBe('ok')
  })

  test('#12 #67 #71 report data that is another, of another size, or not asked for', async () => {
    const bytes = await tpmEvidence(ak, { extraData })
    const mismatch = 'ATTESTATION_REPORT_DATA_MISMATCH'
    expect(await codeFor(bytes, { expectedReportData: new Uint8Array(64) })).toBe(mismatch)
    for (const sizeBytes of [0, 32, 63, 65]) {
      const expectedReportData = new Uint8Array(sizeBytes).fill(9)
      expect(await codeFor(bytes, { expectedReportData })).toBe('ATTESTATION_CLAIMS_INVALID')
    }
    // Nor does report data count that was put into the quote as it is.
    expect(await codeFor(tpmEvidence(ak, { extraData: reportData }))).toBe(mismatch)
  })

  test('#14 evidence that brings members of its own', async () => {
    const parts = { ...parseTpmEvidence(await tpmEvidence(ak, { extraData })) }
    const encoded = { version: 1, ...parts, pcrs: Object.fromEntries(parts.pcrs) }
    expect(await codeFor(encodeCbor(encoded))).toBe('ok')
    expect(await codeFor(encodeCbor({ ...encoded, ekRoots: ['33'.repeat(32)] }))).toBe(malformed)
    expect(await codeFor(encodeCbor({ ...encoded, version: 2 }))).toBe(malformed)
    expect(await codeFor(encodeCbor({ ...encoded, attest: 'text' }))).toBe(malformed)
    const { sha256: bank } = encoded.pcrs
    for (const pcrs of [
      {},
      { sha1: bank },
      { sha256: {} },
      { sha256: [] },
      { sha256: new Map([[24, pcrValue(0)]]) },
      { sha256: new Map([[0, seeded('x').slice(1)]]) },
      { sha256: new Map<unknown, unknown>([['0', pcrValue(0)]]) },
      { sha256: bank, sha384: bank },
    ]) {
      expect(await codeFor(encodeCbor({ ...encoded, pcrs }))).toBe(malformed)
    }
  })

  test('#15 evidence of another platform under the label of this one', async () => {
    const root = await createSimulatedRoot(seeded('root'))
    const manifest = {
      version: 1,
      entry: 'worker',
      components: [{ name: 'a', sha384: '11'.repeat(48) }],
      plugins: [],
    }
    const simulated = await simulatedAttester({ root, manifest: manifest as never }).produce(reportData)
    expect(await codeFor(simulated.bytes)).toBe(malformed)
  })

  test('#16 #65 #69 the key, the credential or the quote of another machine', async () => {
    const other = await makeAk()
    const akCredential = await credentialFor(other.publicArea)
    expect(await codeFor(tpmEvidence(ak, { extraData }, { akCredential }))).toBe(foreign)
    const theirs = { akPublic: other.publicArea, akCredential }
    expect(await codeFor(tpmEvidence(ak, { extraData }, theirs))).toBe('ATTESTATION_SIGNATURE_INVALID')
    expect(await codeFor(tpmEvidence(ak, { extraData }, { akPublic: other.publicArea }))).toMatch(
      /SIGNATURE_INVALID|ENDORSEMENT_MISMATCH/,
    )
  })

  test.each([
    ['fixedTPM', akAttributes & ~(1 << 1)],
    ['fixedParent', akAttributes & ~(1 << 4)],
    ['sensitiveDataOrigin', akAttributes & ~(1 << 5)],
    ['restricted', akAttributes & ~(1 << 16)],
    ['sign', akAttributes & ~(1 << 18)],
    ['decrypt', akAttributes | (1 << 17)],
  ])(
    '#69 a key whose %s is not that of an attestation key, credential and all',
    async (_name, attributes) => {
      const loose = await makeAk('ecdsa', { attributes })
      expect(await codeFor(tpmEvidence(loose, { extraData }))).toBe(unsupported)
    },
  )

  test('#10 #69 public areas of other forms', async () => {
    const code = (scheme: 'rsassa' | 'ecdsa', options: object) =>
      codeOf(() => assertAttestationKey(parsePublicArea(publicArea(scheme, rsaOrEcc[scheme].jwk, options))))
    const rsaOrEcc = { rsassa: await makeAk('rsassa'), ecdsa: ak }
    expect(await code('rsassa', {})).toBe('ok')
    expect(await code('rsassa', { exponent: 65_537 })).toBe('ok')
    expect(await code('rsassa', { exponent: 3 })).toBe(unsupported)
    expect(await code('rsassa', { keyBits: 1024 })).toBe(malformed)
    expect(await code('rsassa', { schemeId: 0x17 })).toBe(unsupported)
    expect(await code('rsassa', { schemeId: 0x10 })).toBe(unsupported)
    expect(await code('rsassa', { nameHashId: 0x04 })).toBe(unsupported)
    expect(await code('ecdsa', { symmetricId: 0x06 })).toBe(unsupported)
    expect(await code('ecdsa', { type: 0x25 })).toBe(unsupported)
    expect(await code('ecdsa', { curveId: 5 })).toBe(unsupported)
    expect(await code('ecdsa', { curveId: 4 })).toBe('ok')
    const { publicArea: whole } = ak
    for (let sizeBytes = 0; sizeBytes < whole.length; sizeBytes++) {
      expect(await codeOf(() => parsePublicArea(whole.slice(0, sizeBytes)))).toBe(malformed)
    }
    expect(await codeOf(() => parsePublicArea(new Uint8Array([...whole, 0])))).toBe(malformed)
  })

  test('#69 a signature of another scheme than the key has', async () => {
    const area = publicArea('ecdsa', ak.jwk, { schemeHashId: 0x0c })
    const changes = { akPublic: area, akCredential: await credentialFor(area) }
    expect(await codeFor(tpmEvidence(ak, { extraData }, changes))).toBe(unsupported)
  })

  test('#68 values beside those that the quote covers', async () => {
    const pcrs = new Map([
      ['sha256', new Map([...quotedPcrs, 14].map((pcr) => [pcr, pcrValue(pcr)]))],
    ]) as never
    expect(await codeFor(tpmEvidence(ak, { extraData }, { pcrs }))).toBe(malformed)
  })

  test('a changed byte anywhere is refused with a code', async () => {
    const bytes = await tpmEvidence(ak, { extraData })
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      await expect(verify(changed)).rejects.toSatisfy(isAttestationError)
    }
  })

  test('any bytes are refused with a code', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (bytes) => {
        expect(await codeFor(bytes)).toBe(malformed)
        expect(await codeOf(() => parsePublicArea(bytes))).toMatch(/^ATTESTATION_/)
      }),
    )
  })
})

describe('a policy about TPMs', () => {
  const registers = Object.fromEntries(quotedPcrs.map((pcr) => [String(pcr), [toHex(pcrValue(pcr))]]))
  const section = { ekRoots: [ekRoot], pcrs: registers, akNames: 'any' }
  const policyWith = (platforms: object) =>
    parsePolicy({ ...policyJson, allowUnattested: [], minimumTier: 'process', platforms }, [tpmVerifier])
  const reasons = async (platforms: object, attest: object = {}, pcrs = testPcrs) => {
    const verified = await verify(await tpmEvidence(ak, { extraData, ...attest }, { pcrs }))
    const result = appraise(verified, policyWith(platforms), {
      nowMs,
      nonceIssuedAtMs: nowMs,
      manifest: null,
      capsuleMinimumTier: 'process',
      verifiers: [tpmVerifier],
      references: [],
    })
    return result.status === 'accepted' ? [] : result.reasons.map((it) => it.code)
  }
  const refused = 'ATTESTATION_PLATFORM_REFUSED'

  test('accepts what it names', async () => {
    expect(await reasons({ tpm: section })).toEqual([])
    const name = toHex(parsePublicArea(ak.publicArea).name)
    expect(await reasons({ tpm: { ...section, akNames: [name] } })).toEqual([])
    const either = { ...registers, 0: ['00'.repeat(32), toHex(pcrValue(0))] }
    expect(await reasons({ tpm: { ...section, pcrs: either } })).toEqual([])
  })

  test('refuses a TPM that it does not name, another root, another key', async () => {
    expect(await reasons({})).toEqual([refused])
    expect(await reasons({ tpm: { ...section, ekRoots: ['33'.repeat(32)] } })).toEqual([unknownRoot])
    expect(await reasons({ tpm: { ...section, ekRoots: [] } })).toEqual([unknownRoot])
    expect(await reasons({ tpm: { ...section, akNames: [`000b${'00'.repeat(32)}`] } })).toEqual([refused])
  })

  test('#12 #68 refuses a register of another value, one that is not covered, and naming none', async () => {
    expect(await reasons({ tpm: { ...section, pcrs: { ...registers, 0: ['00'.repeat(32)] } } })).toEqual([
      refused,
    ])
    expect(await reasons({ tpm: { ...section, pcrs: { ...registers, 14: ['00'.repeat(32)] } } })).toEqual([
      refused,
    ])
    expect(await reasons({ tpm: { ...section, pcrs: {} } })).toEqual([refused])
    const attest = { selections: [{ hashId: 0x0b, pcrs: [0] }], pcrDigest: sha256(pcrValue(0)) }
    const pcrs = new Map([['sha256', new Map([[0, pcrValue(0)]])]]) as never
    expect(await reasons({ tpm: section }, attest, pcrs)).toEqual([refused])
    expect(await reasons({ tpm: { ...section, pcrs: { 0: registers[0] } } }, attest, pcrs)).toEqual([])
  })

  test.each([
    ['ekRoots', 'any'],
    ['pcrs', 'any'],
    ['ekRoots', ['AB'.repeat(32)]],
    ['pcrs', { 24: ['00'.repeat(32)] }],
    ['pcrs', { '00': ['00'.repeat(32)] }],
    ['pcrs', { 0: [] }],
    ['pcrs', { 0: ['AB'.repeat(32)] }],
    ['pcrs', { 0: ['00'.repeat(20)] }],
    ['akNames', ['00']],
  ])('#12 #13 %s cannot be %j', (name, value) => {
    expect(() => policyWith({ tpm: { ...section, [name]: value } })).toThrow(
      expect.objectContaining({ code: 'POLICY_INVALID' }),
    )
  })

  test('#12 cannot leave a rule out', () => {
    for (const name of Object.keys(section)) {
      const { [name as keyof typeof section]: _left, ...rest } = section
      expect(() => policyWith({ tpm: rest })).toThrow(
        expect.objectContaining({ code: 'POLICY_FIELD_MISSING' }),
      )
    }
  })
})
