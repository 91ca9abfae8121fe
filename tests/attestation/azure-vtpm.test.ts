// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, type KeyObject, sign, verify as verifySignature } from 'node:crypto'
import { join } from 'node:path'
import {
  AttestationError,
  type EvidenceVerifier,
  noCollateral,
  type TrustStore,
  type VerifiedEvidence,
  verifyBy,
} from '@mlcapsule/attestation'
import {
  azureVtpmTrustStore,
  azureVtpmVerifier,
  encodeAzureVtpmEvidence,
  parseHclReport,
  parseRuntimeClaims,
  verifyAzureVtpm,
} from '@mlcapsule/attestation/azure-vtpm'
import { azureVtpmAttester } from '@mlcapsule/attestation/azure-vtpm/node'
import { sevSnpTrustStore, sevSnpVerifier } from '@mlcapsule/attestation/sev-snp'
import { parsePublicArea } from '@mlcapsule/attestation/tpm'
import { createAttestationKey } from '@mlcapsule/attestation/tpm/node'
import { concatBytes, cryptoReady, sha256, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { codeOf } from '@mlcapsule/crypto/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing, sharedDir } from '../support/shared.ts'
import { noSwtpm, type SoftwareTpm, startSwtpm } from '../support/swtpm.ts'
import { readCase, type VectorCase } from './case.ts'
import { akOf, nonceOf, pcrsOf } from './cases/tpm.ts'

const reason = missing('attestation-vectors/tpm') ?? missing('attestation-vectors/snp')
const root = join(sharedDir, 'attestation-vectors')

/** Signature and report data of a SEV-SNP report by this very key, and no more: what stands above it is another's to check. */
function signedBy(publicKey: KeyObject): EvidenceVerifier {
  const examine: EvidenceVerifier['examine'] = async ({ bytes }) => {
    const number = (at: number) => bytes.slice(at, at + 48).reverse()
    const signature = Buffer.concat([number(0x2a0), number(0x2e8)])
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' as const }
    if (!verifySignature('sha384', bytes.subarray(0, 0x2a0), key, signature)) {
      throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', 'the report')
    }
    const unbound: VerifiedEvidence = {
      platform: 'sev-snp',
      rootKind: 'hardware',
      tier: 'sev-snp',
      root: '',
      manifestSha384: null,
      measurement: { measurement: toHex(bytes.slice(0x90, 0xc0)) },
      debug: false,
      tcbStatus: 'none',
      advisoryIds: [],
      claims: {},
    }
    return { reportData: bytes.slice(0x50, 0x90), unbound }
  }
  return {
    kind: 'verifier',
    name: 'sev-snp',
    version: 1,
    rules: {},
    identifyingRegisters: [['measurement']],
    collateralNames: () => [[]],
    examine,
    verify: verifyBy(examine),
  }
}

const snpStore: TrustStore = { platform: 'sev-snp', rootKind: 'hardware' }

describe.skipIf(reason !== null)(`a confidential VM of Azure, as published ${reason ?? ''}`, () => {
  const load = (name: string): VectorCase => readCase(root, name)
  function genuine() {
    const [tpm, snp] = [load('tpm/azure-genoa'), load('snp/genoa-v3-vcek-valid-azure')]
    const hcl = parseHclReport(tpm.read('hcl-report.bin'))
    const evidence = {
      attest: tpm.read('attest.bin'),
      signature: tpm.read('signature.bin'),
      pcrs: pcrsOf(tpm),
      runtimeClaims: hcl.runtimeClaims,
      hardware: hcl.hardwareReport,
    }
    return { tpm, snp, hcl, evidence, context: contextOf(snp, hcl.hardwareReport) }
  }

  /** AMD's chain, which the vectors bring; its list of revoked authorities they do not. */
  function contextOf(snp: VectorCase, report: Uint8Array) {
    const names = sevSnpVerifier.collateralNames({ platform: 'sev-snp', bytes: report }).flat()
    const read = (name: string) => snp.read(name.startsWith('amd/vcek/') ? 'vcek.der' : 'ask_ark.pem')
    return {
      nowMs: Date.parse(snp.expected.now),
      trustStore: azureVtpmTrustStore(sevSnpTrustStore({ revocation: 'unchecked' })),
      collateral: new Map(names.map((name) => [name, read(name)])),
    }
  }
  const hardware: EvidenceVerifier = sevSnpVerifier

  test('its HCL report holds the SEV-SNP report, and claims that name the key of its quote', () => {
    const { tpm, snp, hcl } = genuine()
    expect(hcl.hardware).toBe('sev-snp')
    expect(hcl.hardwareReport).toEqual(snp.read('report.bin'))
    expect(hcl.hardwareReport.slice(0x50, 0x70)).toEqual(sha256(hcl.runtimeClaims))
    const { ak, hasSecureBoot } = parseRuntimeClaims(hcl.runtimeClaims)
    expect(ak).toEqual(akOf(tpm))
    expect(hasSecureBoot).toBe(true)
  })

  test('report, claims and quote are accepted together, with the registers of both', async () => {
    const { tpm, evidence, context } = genuine()
    const bytes = encodeAzureVtpmEvidence(evidence)
    const verified = await verifyAzureVtpm(hardware, bytes, context, nonceOf(tpm))
    expect(verified).toMatchObject({ rootKind: 'hardware', tier: 'sev-snp', claims: { hasSecureBoot: true } })
    expect(Object.keys(verified.measurement)).toHaveLength(27)
    expect(azureVtpmVerifier(sevSnpVerifier).name).toBe('azure-vtpm-sev-snp')
  })

  test('#16 #70 parts of other machines, and changed bytes in each part', async () => {
    const { tpm, evidence, context } = genuine()
    const code = (changes: object) => {
      const bytes = encodeAzureVtpmEvidence({ ...evidence, ...changes })
      return codeOf(() => verifyAzureVtpm(hardware, bytes, context, nonceOf(tpm)))
    }
    expect(await code({})).toBe('ok')
    const other = load('tpm/coco-vtpm')
    const theirs = {
      attest: other.read('attest.bin'),
      signature: other.read('signature.bin'),
      pcrs: pcrsOf(other),
    }
    expect(await code(theirs)).toBe('ATTESTATION_SIGNATURE_INVALID')
    let changedCount = 0
    for (const part of ['attest', 'signature', 'runtimeClaims', 'hardware'] as const) {
      for (let at = 0; at < evidence[part].length; at += 7) {
        const bytes = evidence[part].slice()
        bytes[at] = (bytes[at] ?? 0) ^ 0x20
        expect(await code({ [part]: bytes })).toMatch(/^ATTESTATION_/)
        changedCount++
      }
    }
    expect(changedCount).toBeGreaterThanOrEqual(320)
  })
})

const absent = noSwtpm()

describe.skipIf(absent !== null)(`a TPM in software that holds what Azure's does ${absent ?? ''}`, () => {
  const handle = 0x81000003
  const pcrs = [0, 4, 11]
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const reportData = new Uint8Array(64).fill(7)
  let tpm: SoftwareTpm
  let runtimeClaims: Uint8Array

  /** A SEV-SNP report over the claims, signed by a key of ours. */
  function report(): Uint8Array {
    const bytes = new Uint8Array(1184)
    bytes.set(sha256(runtimeClaims), 0x50)
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
    const signature = sign('sha384', bytes.subarray(0, 0x2a0), key)
    bytes.set(new Uint8Array(signature.subarray(0, 48)).reverse(), 0x2a0)
    bytes.set(new Uint8Array(signature.subarray(48)).reverse(), 0x2e8)
    return bytes
  }

  const little = (value: number) => Uint8Array.of(value & 0xff, value >> 8, 0, 0)
  function hclReport(type: number): Uint8Array {
    const sizeBytes = runtimeClaims.length
    const head = [little(2), little(32 + 1184 + 20 + sizeBytes), new Uint8Array(20)]
    const data = [little(20 + sizeBytes), little(1), little(type), little(1), little(sizeBytes)]
    return concatBytes(utf8Bytes('HCLA'), ...head, report(), ...data, runtimeClaims)
  }

  async function store(bytes: Uint8Array): Promise<void> {
    tpm.writeFile('report', bytes)
    await tpm.run('nvwrite', '0x1400001', '-C', 'o', '-i', 'report')
  }

  beforeAll(async () => {
    await cryptoReady()
    tpm = await startSwtpm()
    const area = await createAttestationKey({ tcti: tpm.tcti, handle, keyType: 'rsa', ek: 'rsa' })
    const ak = { kid: 'HCLAkPub', key_ops: ['sign'], ...parsePublicArea(area).jwk }
    runtimeClaims = utf8Bytes(JSON.stringify({ keys: [ak], 'vm-configuration': { 'secure-boot': true } }))
    const sizeBytes = String(hclReport(2).length)
    await tpm.run('nvdefine', '0x1400001', '-C', 'o', '-s', sizeBytes, '-a', 'ownerread|ownerwrite')
    await store(hclReport(2))
  }, 60_000)
  afterAll(() => tpm?.stop())

  const hardware = signedBy(publicKey)
  const verify = (bytes: Uint8Array, expectedReportData = reportData) =>
    azureVtpmVerifier(hardware).verify(
      { platform: 'azure-vtpm-sev-snp', bytes },
      { nowMs: 0, trustStore: azureVtpmTrustStore(snpStore), collateral: noCollateral, expectedReportData },
    )

  test('its evidence is accepted, and binds the report data', async () => {
    const attester = azureVtpmAttester({ tcti: tpm.tcti, hardware: 'sev-snp', pcrs })
    const { platform, bytes } = await attester.produce(reportData)
    expect(platform).toBe('azure-vtpm-sev-snp')
    const verified = await verify(bytes)
    expect(verified).toMatchObject({ platform, tier: 'sev-snp', claims: { hasSecureBoot: true } })
    expect(Object.keys(verified.measurement)).toEqual(['measurement', 'pcr0', 'pcr4', 'pcr11'])
    expect(await codeOf(() => verify(bytes, new Uint8Array(64)))).toBe('ATTESTATION_REPORT_DATA_MISMATCH')
  })

  test('another hardware than the VM has, a TD report without a quote, and what is no report', async () => {
    const code = (options: Partial<Parameters<typeof azureVtpmAttester>[0]>) => {
      const attester = azureVtpmAttester({ tcti: tpm.tcti, hardware: 'sev-snp', pcrs, ...options })
      return codeOf(() => attester.produce(reportData))
    }
    expect(await code({ hardware: 'tdx' })).toBe('ATTESTATION_DEVICE_FAILED')
    await store(hclReport(4))
    expect(await code({ hardware: 'tdx' })).toBe('ATTESTATION_DEVICE_UNAVAILABLE')
    const quoteTd = async (tdReport: Uint8Array) => tdReport.slice(0, 1024)
    expect(await code({ hardware: 'tdx', quoteTd })).toBe('ok')
    await store(new Uint8Array(64))
    expect(await code({})).toBe('ATTESTATION_DEVICE_FAILED')
  })
})
