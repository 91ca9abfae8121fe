// SPDX-License-Identifier: Apache-2.0
import {
  AttestationError,
  type EvidenceVerifier,
  manifestDigest,
  noCollateral,
  parsePolicy,
  platformRule,
  signReference,
  type UnboundEvidence,
  type VerifiedEvidence,
  verifyBy,
} from '@mlcapsule/attestation'
import { createSimulatedRoot, simulatedAttester } from '@mlcapsule/attestation/simulated'
import { makeEvidence } from '@mlcapsule/attestation/testing'
import { encodeTpmEvidence } from '@mlcapsule/attestation/tpm'
import type { Evidence } from '@mlcapsule/contracts'
import { cryptoReady, generateSigningKeyPair, keyThumbprint, toHex } from '@mlcapsule/crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { testManifest } from '../../test-support/fake-enclave.ts'
import { devPolicy } from '../../test-support/packed-store.ts'
import { checkPolicy, type PolicyCheckInput, platformOf } from './check-policy.ts'
import { fixedPlatform, platformsOf, type SupportedPlatform, supportedPlatforms } from './verifiers.ts'

const nowMs = Date.UTC(2026, 0, 15)
const reportData = new Uint8Array(64).fill(7)
const measurement = { mrTest: 'ab'.repeat(32) }

async function examine({ bytes }: Evidence): Promise<UnboundEvidence> {
  if (bytes[0] === 0) throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', 'it is zero')
  const unbound: VerifiedEvidence = {
    platform: 'tiny',
    rootKind: 'hardware',
    tier: 'sgx',
    root: 'cd'.repeat(32),
    manifestSha384: null,
    measurement,
    debug: false,
    tcbStatus: 'UpToDate',
    advisoryIds: ['A-1'],
    claims: { svn: bytes[0] },
  }
  return { reportData, unbound }
}

/** A platform whose evidence is one byte, the number of its firmware, and is genuine if that is not zero. */
const tiny: EvidenceVerifier = {
  kind: 'verifier',
  name: 'tiny',
  version: 1,
  rules: {
    minimumSvn: platformRule<{ svn: number }, number>({
      schema: z.int(),
      suggested: 2,
      found: ({ svn }) => String(svn),
      holds: ({ svn }, least) => svn >= least,
      code: 'ATTESTATION_TCB_REFUSED',
    }),
  },
  identifyingRegisters: [['mrTest']],
  collateralNames({ bytes }) {
    if (bytes.length !== 1) throw new AttestationError('ATTESTATION_EVIDENCE_MALFORMED', 'it is not one byte')
    return [[]]
  },
  examine,
  verify: verifyBy(examine),
}
const platforms: readonly SupportedPlatform[] = [
  ...supportedPlatforms,
  fixedPlatform(tiny, { platform: 'tiny', rootKind: 'hardware' }),
]
const signerSeed = new Uint8Array(32).fill(1)

function input(bytes: readonly number[], changes: Partial<PolicyCheckInput> = {}): PolicyCheckInput {
  return {
    evidence: { platform: 'tiny', bytes: Uint8Array.from(bytes) },
    policy: parsePolicy(hardwarePolicy()),
    manifest: testManifest,
    collateral: noCollateral,
    references: [],
    expectedReportData: reportData,
    nowMs,
    nonceIssuedAtMs: nowMs,
    newestSeenMs: 0,
    platforms,
    ...changes,
  }
}

const hardwarePolicy = (changes: object = {}) => ({
  ...devPolicy,
  name: 'production',
  allowUnattested: [],
  referenceSigners: [keyThumbprint(generateSigningKeyPair(signerSeed).publicKey)],
  platforms: { tiny: { minimumSvn: 2 } },
  ...changes,
})

const reference = () =>
  signReference({
    signer: generateSigningKeyPair(signerSeed),
    release: '1.0',
    platform: 'tiny',
    measurement,
    manifest: toHex(manifestDigest(testManifest)),
  })

beforeAll(cryptoReady)

describe('checkPolicy', () => {
  test('names each thing that passed, and each that stays unchecked', async () => {
    const report = await checkPolicy(input([2], { references: [await reference()] }))
    expect(report).toMatchObject({ status: 'accepted', policy: 'production', platform: 'tiny', reasons: [] })
    expect(report.verified).toMatchObject({ tier: 'sgx', tcbStatus: 'UpToDate', measurement })
    const unchecked = ['manifests', 'tcbStatuses', 'advisories', 'maxEvidenceAgeSeconds']
    expect(report.checks.filter((it) => it.status === 'unchecked').map((it) => it.field)).toEqual(unchecked)
    expect(report.checks.filter((it) => it.status === 'passed').map((it) => it.field)).toEqual([
      ...['reportData', 'platforms', 'manifest', "the capsule's minimumTier", 'minimumTier', 'debug'],
      'platforms.tiny.minimumSvn',
    ])
  })

  test('names each thing that failed, with what was found and what is asked for', async () => {
    const report = await checkPolicy(input([1]))
    expect(report.status).toBe('refused')
    expect(report.checks.filter((it) => it.status === 'failed')).toEqual([
      {
        field: 'manifests',
        status: 'failed',
        found: 'no reference value for this measurement',
        expected: toHex(manifestDigest(testManifest)),
        code: 'ATTESTATION_MEASUREMENT_UNKNOWN',
      },
      {
        field: 'platforms.tiny.minimumSvn',
        status: 'failed',
        found: '1',
        expected: '2',
        code: 'ATTESTATION_TCB_REFUSED',
      },
    ])
    expect(report.reasons.map((it) => it.code)).toEqual([
      'ATTESTATION_MEASUREMENT_UNKNOWN',
      'ATTESTATION_TCB_REFUSED',
    ])
  })

  test('#11 what is not genuine is not appraised', async () => {
    const report = await checkPolicy(input([0]))
    expect(report).toMatchObject({ status: 'refused', verified: null, checks: [] })
    expect(report.reasons.map((it) => it.code)).toEqual(['ATTESTATION_SIGNATURE_INVALID'])
  })

  test('#77 a reference value by another signer stops the check', async () => {
    const policy = parsePolicy(hardwarePolicy({ referenceSigners: [] }))
    await expect(checkPolicy(input([2], { policy, references: [await reference()] }))).rejects.toThrow(
      expect.objectContaining({ code: 'ATTESTATION_REFERENCE_INVALID' }),
    )
  })

  test('evidence of unknown age is too old for a policy that looks at age', async () => {
    const policy = parsePolicy(hardwarePolicy({ maxEvidenceAgeSeconds: 600 }))
    const references = [await reference()]
    expect((await checkPolicy(input([2], { policy, references }))).status).toBe('accepted')
    const report = await checkPolicy(input([2], { policy, references, nonceIssuedAtMs: null }))
    expect(report.reasons.map((it) => it.code)).toEqual(['ATTESTATION_EVIDENCE_TOO_OLD'])
    expect(report.checks).toContainEqual({
      field: 'maxEvidenceAgeSeconds',
      status: 'failed',
      found: 'unknown',
      expected: '600 s',
      code: 'ATTESTATION_EVIDENCE_TOO_OLD',
    })
  })

  test('#71 what nobody said that it has to bind is not accepted, and what it binds is told', async () => {
    const references = [await reference()]
    const report = await checkPolicy(input([2], { references, expectedReportData: null }))
    expect(report).toMatchObject({ status: 'unbound', reasons: [] })
    expect(report.checks[0]).toEqual({
      field: 'reportData',
      status: 'unchecked',
      found: toHex(reportData),
      expected: 'any',
      code: null,
    })
    const wrong = await checkPolicy(input([1], { references, expectedReportData: null }))
    expect([wrong.status, wrong.reasons.map((it) => it.code)]).toEqual([
      'refused',
      ['ATTESTATION_TCB_REFUSED'],
    ])
  })

  test('#71 evidence for somebody else is refused, and the rest of it is looked at all the same', async () => {
    const report = await checkPolicy(input([1], { expectedReportData: new Uint8Array(64) }))
    expect(report.status).toBe('refused')
    expect(report.reasons.map((it) => it.code)).toEqual([
      'ATTESTATION_REPORT_DATA_MISMATCH',
      'ATTESTATION_MEASUREMENT_UNKNOWN',
      'ATTESTATION_TCB_REFUSED',
    ])
  })

  test('#71 #78 other report data and a clock that was set back are refused', async () => {
    const attester = simulatedAttester({ root: await createSimulatedRoot(), manifest: testManifest })
    const evidence = await attester.produce(reportData)
    const policy = parsePolicy(devPolicy)
    const codes = async (changes: Partial<PolicyCheckInput>) =>
      (await checkPolicy(input([], { evidence, policy, ...changes }))).reasons.map((it) => it.code)
    expect(await codes({})).toEqual([])
    expect(await codes({ expectedReportData: new Uint8Array(64) })).toEqual([
      'ATTESTATION_REPORT_DATA_MISMATCH',
    ])
    expect(await codes({ expectedReportData: new Uint8Array(0) })).toEqual([
      'ATTESTATION_REPORT_DATA_MISMATCH',
    ])
    expect(await codes({ newestSeenMs: nowMs + 1 })).toEqual(['ATTESTATION_CLOCK_BEHIND'])
  })
})

describe('platformOf', () => {
  test('#15 evidence of a TPM is told by its layout, and no other is taken for it', async () => {
    const evidence = encodeTpmEvidence({
      attest: Uint8Array.of(1),
      signature: Uint8Array.of(2),
      akPublic: Uint8Array.of(3),
      pcrs: new Map([['sha256', new Map([[4, new Uint8Array(32)]])]]),
      akCredential: 'a.b.c',
    })
    const all = platformsOf('store')
    expect(platformOf(evidence, all)).toBe('tpm')
    for (const { platform, bytes } of await makeEvidence()) expect(platformOf(bytes, all)).toBe(platform)
  })

  test('#15 evidence is of the platform whose layout it has', () => {
    expect(platformOf(Uint8Array.of(1), platforms)).toBe('tiny')
    const invalid = expect.objectContaining({ code: 'PROVIDER_OPTION_INVALID', field: 'platform' })
    expect(() => platformOf(Uint8Array.of(1, 2), platforms)).toThrow(invalid)
    const twice = [
      ...platforms,
      fixedPlatform({ ...tiny, name: 'other' }, { platform: 'other', rootKind: 'hardware' }),
    ]
    expect(() => platformOf(Uint8Array.of(1), twice)).toThrow(invalid)
  })
})
