// SPDX-License-Identifier: Apache-2.0
import { verify as verifySignature, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import {
  AttestationError,
  type EvidenceVerifier,
  noCollateral,
  type TrustStore,
} from '@mlcapsule/attestation'
import {
  azureVtpmTrustStore,
  azureVtpmVerifier,
  encodeAzureVtpmEvidence,
  parseHclReport,
  parseRuntimeClaims,
  verifyAzureVtpm,
} from '@mlcapsule/attestation/azure-vtpm'
import { equalBytes, sha256, toHex } from '@mlcapsule/crypto'
import { codeOf } from '@mlcapsule/crypto/testing'
import { describe, expect, test } from 'vitest'
import { missing, sharedDir } from '../support/shared.ts'
import { readCase, type VectorCase } from './case.ts'
import { akOf, nonceOf, pcrsOf } from './cases/tpm.ts'

const reason = missing('attestation-vectors/tpm') ?? missing('attestation-vectors/snp')
const root = join(sharedDir, 'attestation-vectors')

/** Signature and report data of a SEV-SNP report by this very VCEK, and no more: what stands above it is another's to check. */
function signedBy(vcek: X509Certificate): EvidenceVerifier {
  return {
    kind: 'verifier',
    name: 'sev-snp',
    version: 1,
    rules: {},
    identifyingRegisters: [['measurement']],
    collateralNames: () => [],
    async verify({ bytes }, { expectedReportData }) {
      const number = (at: number) => bytes.slice(at, at + 48).reverse()
      const signature = Buffer.concat([number(0x2a0), number(0x2e8)])
      const key = { key: vcek.publicKey, dsaEncoding: 'ieee-p1363' as const }
      if (!verifySignature('sha384', bytes.subarray(0, 0x2a0), key, signature)) {
        throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', 'the report')
      }
      if (!equalBytes(bytes.slice(0x50, 0x90), expectedReportData)) {
        throw new AttestationError('ATTESTATION_REPORT_DATA_MISMATCH', 'the report')
      }
      return {
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
    },
  }
}

const store: TrustStore = { platform: 'sev-snp', rootKind: 'hardware' }

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
    return { tpm, snp, hcl, evidence, hardware: signedBy(new X509Certificate(snp.read('vcek.der'))) }
  }
  const context = {
    nowMs: Date.UTC(2025, 10, 15),
    trustStore: azureVtpmTrustStore(store),
    collateral: noCollateral,
  }

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
    const { tpm, evidence, hardware } = genuine()
    const bytes = encodeAzureVtpmEvidence(evidence)
    const verified = await verifyAzureVtpm(hardware, bytes, context, nonceOf(tpm))
    expect(verified).toMatchObject({ rootKind: 'hardware', tier: 'sev-snp', claims: { hasSecureBoot: true } })
    expect(Object.keys(verified.measurement)).toHaveLength(25)
    expect(azureVtpmVerifier(hardware).name).toBe('azure-vtpm-sev-snp')
  })

  test('#16 #70 parts of other machines, and changed bytes in each part', async () => {
    const { tpm, evidence, hardware } = genuine()
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
        // What follows the numbers of the report's signature is for the verifier of SEV-SNP to look at.
        if (part === 'hardware' && at >= 0x2a0) break
        const bytes = evidence[part].slice()
        bytes[at] = (bytes[at] ?? 0) ^ 0x20
        expect(await code({ [part]: bytes })).toMatch(/^ATTESTATION_/)
        changedCount++
      }
    }
    expect(changedCount).toBeGreaterThanOrEqual(320)
  })
})
