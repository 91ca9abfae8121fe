// SPDX-License-Identifier: Apache-2.0
import { concatBytes, cryptoReady, equalBytes, sha256, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { isAttestationError } from '../../../test/errors.ts'
import {
  type AttestOptions,
  attestBytes,
  makeAk,
  pcrValue,
  quotedPcrs,
  type TestAk,
  testPcrs,
} from '../../../test/tpm.ts'
import { manifest, nowMs, policyJson } from '../../../test/world.ts'
import { appraise } from '../../appraise/appraise.ts'
import { platformRule } from '../../appraise/rules.ts'
import { noCollateral } from '../../collateral/collateral.ts'
import type { EvidenceVerifier } from '../../evidence/verifier.ts'
import { parsePolicy } from '../../policy/policy.ts'
import { tpmQualifyingData } from '../../report/claims.ts'
import {
  createSimulatedRoot,
  simulatedAttester,
  simulatedTrustStore,
  simulatedVerifier,
} from '../../simulated/index.ts'
import type { SimulatedBody } from '../../simulated/layout.ts'
import { parseAzureVtpmEvidence } from './evidence.ts'
import { type AzureVtpmEvidence, encodeAzureVtpmEvidence } from './evidence-encoding.ts'
import { parseHclReport } from './hcl-report.ts'
import { parseRuntimeClaims } from './runtime-claims.ts'
import { azureVtpmTrustStore, azureVtpmVerifier } from './verifier.ts'

const malformed = 'ATTESTATION_EVIDENCE_MALFORMED'
const unsupported = 'ATTESTATION_EVIDENCE_UNSUPPORTED'
const reportData = new Uint8Array(64).fill(9)
const extraData = tpmQualifyingData(reportData)

/** The simulated platform in the place of the hardware, with a rule as those of hardware platforms are. */
const hardware: EvidenceVerifier<ReturnType<typeof simulatedTrustStore>, SimulatedBody> = {
  ...simulatedVerifier,
  rules: {
    manifests: platformRule<SimulatedBody, readonly string[]>({
      schema: z.array(z.string()),
      suggested: [],
      found: ({ manifestSha384 }) => toHex(manifestSha384),
      holds: ({ manifestSha384 }, expected) => expected.includes(toHex(manifestSha384)),
      code: 'ATTESTATION_PLATFORM_REFUSED',
    }),
  },
  identifyingRegisters: [['manifestSha384']],
  collateralNames: ({ bytes }) => [[`of ${bytes.length} bytes`]],
}
const verifier = azureVtpmVerifier(hardware)
const trustStore = azureVtpmTrustStore(simulatedTrustStore('any'))

let ak: TestAk
beforeAll(async () => {
  await cryptoReady()
  ak = await makeAk('rsassa')
})

const claimsOf = (changes: object = {}, key: object = {}, { jwk } = ak) => ({
  keys: [
    { kid: 'HCLAkPub', key_ops: ['sign'], kty: 'RSA', e: jwk.e, n: jwk.n, ...key },
    { kid: 'HCLEkPub', key_ops: ['encrypt'], kty: 'RSA', e: 'AQAB', n: 'AQAB' },
  ],
  'vm-configuration': { 'console-enabled': true, 'secure-boot': true },
  'user-data': '00',
  ...changes,
})
const json = (value: unknown) => utf8Bytes(JSON.stringify(value))

/** The hardware's report over the hash of these claims, and zeros. */
async function hardwareOver(runtimeClaims: Uint8Array, padding = new Uint8Array(32)): Promise<Uint8Array> {
  const root = await createSimulatedRoot(seeded('root'))
  const bound = concatBytes(sha256(runtimeClaims), padding)
  return (await simulatedAttester({ root, manifest }).produce(bound)).bytes
}

async function evidenceOf(
  changes: Partial<AzureVtpmEvidence> = {},
  attest: AttestOptions = { extraData },
): Promise<Uint8Array> {
  const bytes = attestBytes(attest)
  const runtimeClaims = changes.runtimeClaims ?? json(claimsOf())
  return encodeAzureVtpmEvidence({
    attest: bytes,
    signature: await ak.sign(bytes),
    pcrs: testPcrs,
    runtimeClaims,
    hardware: changes.hardware ?? (await hardwareOver(runtimeClaims)),
    ...changes,
  })
}

const verify = (bytes: Uint8Array, changes: object = {}) =>
  verifier.verify(
    { platform: verifier.name, bytes },
    { nowMs, trustStore, collateral: noCollateral, expectedReportData: reportData, ...changes },
  )
const codeFor = async (evidence: Promise<Uint8Array>, changes: object = {}) => {
  const bytes = await evidence
  return await codeOf(() => verify(bytes, changes))
}

describe('a confidential VM on Azure', () => {
  test('has the tier, the root and the registers of its hardware, and those of its vTPM', async () => {
    const bytes = await evidenceOf()
    const verified = await verify(bytes)
    const below = parseAzureVtpmEvidence(bytes).hardware
    expect(verifier.name).toBe('azure-vtpm-simulated')
    expect(trustStore.platform).toBe(verifier.name)
    expect(verifier.collateralNames({ platform: '', bytes })).toEqual([[`of ${below.length} bytes`]])
    expect(verified).toMatchObject({
      platform: 'azure-vtpm-simulated',
      rootKind: 'simulated',
      tier: 'none',
      manifestSha384: null,
      claims: { hasSecureBoot: true, hardware: { debug: false } },
    })
    expect(Object.keys(verified.measurement)).toEqual([
      'manifestSha384',
      ...quotedPcrs.map((it) => `pcr${it}`),
    ])
  })

  test('#55 is identified by the registers of both', () => {
    expect(verifier.identifyingRegisters).toEqual([['manifestSha384', 'pcr4', 'pcr11']])
    expect(azureVtpmVerifier(simulatedVerifier).identifyingRegisters).toEqual([['pcr4', 'pcr11']])
  })

  test('is ruled by the rules of its hardware and those of its vTPM', async () => {
    expect(Object.keys(verifier.rules)).toEqual(['manifests', 'vtpmPcrs', 'vtpmSecureBoot'])
    const insecure = json(claimsOf({ 'vm-configuration': { 'secure-boot': false } }))
    const verified = {
      secure: await verify(await evidenceOf()),
      insecure: await verify(await evidenceOf({ runtimeClaims: insecure })),
    }
    const own = verified.secure.measurement.manifestSha384
    const section = {
      manifests: [own],
      vtpmPcrs: { 4: [toHex(pcrValue(4))] },
      vtpmSecureBoot: true,
    }
    const codes = (changes: object, of: keyof typeof verified = 'secure') => {
      const platforms = { [verifier.name]: { ...section, ...changes } }
      const policy = parsePolicy({ ...policyJson, platforms }, [verifier])
      const result = appraise(verified[of], policy, {
        nowMs,
        nonceIssuedAtMs: nowMs,
        manifest: null,
        capsuleMinimumTier: 'none',
        verifiers: [verifier],
        references: [],
      })
      // A simulated root is refused for itself; here it is the rules that count.
      return result.checks.filter(({ field }) => field.startsWith('platforms.')).map(({ status }) => status)
    }
    expect(codes({})).toEqual(['passed', 'passed', 'passed'])
    expect(codes({ manifests: [] })).toEqual(['failed', 'passed', 'passed'])
    expect(codes({ vtpmPcrs: { 4: ['00'.repeat(32)] } })).toEqual(['passed', 'failed', 'passed'])
    expect(codes({ vtpmPcrs: {} })).toEqual(['passed', 'failed', 'passed'])
    expect(codes({}, 'insecure')).toEqual(['passed', 'passed', 'failed'])
    expect(codes({ manifests: 'any', vtpmSecureBoot: 'any' }, 'insecure')).toEqual([
      'unchecked',
      'passed',
      'unchecked',
    ])
    expect(() => codes({ vtpmPcrs: 'any' })).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }))
  })
})

describe('the attack checklist', () => {
  test('#70 claims that the report does not bind, whole or in a byte', async () => {
    const foreign = 'ATTESTATION_ENDORSEMENT_MISMATCH'
    const runtimeClaims = json(claimsOf())
    const other = json(claimsOf({ 'user-data': '01' }))
    expect(await codeFor(evidenceOf({ hardware: await hardwareOver(other) }))).toBe(foreign)
    const spaced = concatBytes(runtimeClaims, utf8Bytes(' '))
    const below = await hardwareOver(runtimeClaims)
    expect(await codeFor(evidenceOf({ runtimeClaims: spaced, hardware: below }))).toBe(foreign)
    const padded = await hardwareOver(runtimeClaims, new Uint8Array(32).fill(1))
    expect(await codeFor(evidenceOf({ hardware: padded }))).toBe(foreign)
  })

  test('#16 #70 a quote by a key that is not in the claims of this machine', async () => {
    const other = await makeAk('rsassa')
    const bytes = attestBytes({ extraData })
    const signature = await other.sign(bytes)
    expect(await codeFor(evidenceOf({ signature }))).toBe('ATTESTATION_SIGNATURE_INVALID')
    // Nor do claims help that name it, without the report of this hardware.
    const runtimeClaims = json(claimsOf({}, {}, other))
    const hardware = await hardwareOver(json(claimsOf()))
    expect(await codeFor(evidenceOf({ signature, runtimeClaims, hardware }))).toBe(
      'ATTESTATION_ENDORSEMENT_MISMATCH',
    )
    expect(await codeFor(evidenceOf({ signature, runtimeClaims }))).toBe('ok')
  })

  test('#67 #71 a quote that binds something else, though the report is genuine', async () => {
    const mismatch = 'ATTESTATION_REPORT_DATA_MISMATCH'
    expect(await codeFor(evidenceOf({}, { extraData: seeded('old') }))).toBe(mismatch)
    expect(await codeFor(evidenceOf(), { expectedReportData: new Uint8Array(64) })).toBe(mismatch)
    for (const sizeBytes of [0, 32, 65]) {
      const expectedReportData = new Uint8Array(sizeBytes)
      expect(await codeFor(evidenceOf(), { expectedReportData })).toBe('ATTESTATION_CLAIMS_INVALID')
    }
    // The report's own data is not what is expected, however equal.
    const runtimeClaims = json(claimsOf())
    const bound = concatBytes(sha256(runtimeClaims), new Uint8Array(32))
    expect(await codeFor(evidenceOf(), { expectedReportData: bound })).toBe(mismatch)
  })

  test('#4 a root of the hardware that the trust store does not hold', async () => {
    const strict = azureVtpmTrustStore(simulatedTrustStore([]))
    expect(await codeFor(evidenceOf(), { trustStore: strict })).toBe('ATTESTATION_ROOT_UNKNOWN')
  })

  test('#10 #14 claims of other forms', async () => {
    const code = (claims: unknown) => codeFor(evidenceOf({ runtimeClaims: json(claims) }))
    const [own, second] = claimsOf().keys as [object, object]
    expect(await code(claimsOf())).toBe('ok')
    for (const claims of [
      null,
      [],
      {},
      claimsOf({ keys: [] }),
      claimsOf({ keys: [second] }),
      claimsOf({ keys: [own, own] }),
      claimsOf({ keys: Array.from({ length: 17 }, () => second) }),
      claimsOf({ 'vm-configuration': {} }),
      claimsOf({ 'vm-configuration': { 'secure-boot': 'true' } }),
      claimsOf({}, { kty: 'oct' }),
      claimsOf({}, { key_ops: ['sign', 'encrypt'] }),
      claimsOf({}, { n: 1 }),
    ]) {
      expect(await code(claims)).toBe(malformed)
    }
    expect(await code(claimsOf({}, { e: 'Aw' }))).toBe(unsupported)
    expect(await code(claimsOf({}, { n: '' }))).toBe(unsupported)
    for (const runtimeClaims of [utf8Bytes('{'), Uint8Array.of(0xff), new Uint8Array(9000).fill(0x20)]) {
      expect(await codeFor(evidenceOf({ runtimeClaims }))).toBe(malformed)
    }
  })

  test('#1 #68 cut evidence, and values that no quote covers', async () => {
    const bytes = await evidenceOf()
    for (let sizeBytes = 0; sizeBytes < bytes.length; sizeBytes += 7) {
      expect(await codeOf(() => verify(bytes.slice(0, sizeBytes)))).toBe(malformed)
    }
    const pcrs = new Map([
      ['sha256', new Map([...quotedPcrs, 14].map((pcr) => [pcr, pcrValue(pcr)]))],
    ]) as never
    expect(await codeFor(evidenceOf({ pcrs }))).toBe(malformed)
  })

  test('a changed byte anywhere is refused with a code', async () => {
    const bytes = await evidenceOf()
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      await expect(verify(changed)).rejects.toSatisfy(isAttestationError)
    }
  })
})

describe('an HCL report', () => {
  const little = (value: number) =>
    Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24)
  const claims = utf8Bytes('{"keys":[]}')
  interface HclOptions {
    readonly magic?: number
    readonly version?: number
    readonly reportSizeBytes?: number
    readonly dataSizeBytes?: number
    readonly dataVersion?: number
    readonly type?: number
    readonly hash?: number
    readonly claimsSizeBytes?: number
    readonly after?: Uint8Array
  }
  const report = new Uint8Array(1184).fill(5)
  const hcl = (options: HclOptions = {}) =>
    concatBytes(
      little(options.magic ?? 0x414c4348),
      little(options.version ?? 2),
      little(options.reportSizeBytes ?? 32 + 1184 + 20 + claims.length),
      new Uint8Array(20).fill(3),
      report,
      little(options.dataSizeBytes ?? 20 + claims.length),
      little(options.dataVersion ?? 1),
      little(options.type ?? 2),
      little(options.hash ?? 1),
      little(options.claimsSizeBytes ?? claims.length),
      claims,
      options.after ?? new Uint8Array(100),
    )

  test('holds a report and claims', () => {
    expect(parseHclReport(hcl())).toEqual({
      hardware: 'sev-snp',
      hardwareReport: report,
      runtimeClaims: claims,
    })
    expect(parseHclReport(hcl({ type: 4, version: 1, after: new Uint8Array() })).hardware).toBe('tdx')
  })

  test.each<[HclOptions, string]>([
    [{ magic: 0x424c4348 }, malformed],
    [{ version: 0 }, unsupported],
    [{ version: 3 }, unsupported],
    [{ dataVersion: 2 }, unsupported],
    [{ type: 1 }, unsupported],
    [{ hash: 2 }, unsupported],
    [{ reportSizeBytes: 1000 }, malformed],
    [{ dataSizeBytes: 1000 }, malformed],
    [{ claimsSizeBytes: claims.length - 1 }, malformed],
    [{ claimsSizeBytes: 0xffffffff }, malformed],
    [{ after: Uint8Array.of(0, 1) }, malformed],
  ])('#1 #2 #10 is refused with %j', async (options, code) => {
    expect(await codeOf(() => parseHclReport(hcl(options)))).toBe(code)
  })

  test('any bytes are read or refused with a code', () => {
    const whole = hcl()
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, sizeBytes) => {
        const changed = whole.slice(0, sizeBytes)
        changed[at] = value
        try {
          const read = parseHclReport(changed)
          expect(equalBytes(read.runtimeClaims, claims) || at >= 1236).toBe(true)
        } catch (error) {
          expect(isAttestationError(error)).toBe(true)
        }
      }),
    )
    expect(() => parseRuntimeClaims(claims)).toThrow(expect.objectContaining({ code: malformed }))
  })
})
