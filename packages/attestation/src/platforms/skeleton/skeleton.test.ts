// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '@mlcapsule/crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { type ChainChanges, chainNowMs, issue, makeCrl, p384, testChain } from '../../../test/certificates.ts'
import { reportData, type SkeletonWorld, skeletonWorld } from '../../../test/skeleton.ts'
import { policyJson } from '../../../test/world.ts'
import { type AppraisalInput, appraise } from '../../appraise/appraise.ts'
import { AttestationError } from '../../errors.ts'
import { type VerifyContext, verifyEvidence } from '../../evidence/verifier.ts'
import { parsePolicy } from '../../policy/policy.ts'
import { simulatedVerifier } from '../../simulated/index.ts'
import { KeyUsageFlags } from '../../x509/library.ts'
import {
  parseSkeletonEvidence,
  type SkeletonTrustStore,
  skeletonAttester,
  skeletonTrustStore,
  skeletonVerifier,
} from './index.ts'

const dayMs = 86_400_000
const reportSizeBytes = 112

let world: SkeletonWorld
beforeAll(async () => {
  world = await skeletonWorld()
})

async function codeOf(bytes: Uint8Array, changes: Partial<VerifyContext<SkeletonTrustStore>> = {}) {
  try {
    await skeletonVerifier.verify({ platform: 'skeleton', bytes }, { ...world.context, ...changes })
    return 'ok'
  } catch (error) {
    if (error instanceof AttestationError) return error.code
    throw error
  }
}

/** What becomes of evidence whose chain has these faults, with lists of its own authorities. */
async function codeOfChain(changes: ChainChanges, more: Partial<VerifyContext<SkeletonTrustStore>> = {}) {
  const other = await skeletonWorld(await testChain(changes))
  return await codeOf(other.bytes, { ...other.context, ...more })
}

function changed(at: number, bytes: readonly number[]): Uint8Array {
  const copy = world.bytes.slice()
  copy.set(bytes, at)
  return copy
}

describe('what the platform made', () => {
  test('is read back, and says what the device is', async () => {
    const { report, chain } = parseSkeletonEvidence(world.bytes)
    expect(report).toEqual({ ...world.device.state, reportData })
    expect(chain).toHaveLength(3)
    expect(skeletonVerifier.collateralNames({ platform: 'skeleton', bytes: world.bytes })).toEqual([
      [...world.collateral.keys()],
    ])
  })

  test('is verified through the one door that all platforms share', async () => {
    const { root } = world.authorities
    const verified = await verifyEvidence({
      ...world.context,
      evidence: await skeletonAttester(world.device).produce(reportData),
      verifiers: [simulatedVerifier, skeletonVerifier],
      trustStores: [world.context.trustStore],
    })
    expect(verified).toMatchObject({
      platform: 'skeleton',
      tier: 'none',
      root: root.certificate.spkiSha256,
      measurement: { measurement: '11'.repeat(32) },
      debug: false,
      claims: { svn: 7 },
    })
  })

  test.each([0, 63, 65])('has report data of 64 bytes, not %i', async (sizeBytes) => {
    await expect(skeletonAttester(world.device).produce(new Uint8Array(sizeBytes))).rejects.toMatchObject({
      code: 'ATTESTATION_CLAIMS_INVALID',
    })
  })
})

describe('attacks', () => {
  test('#1 evidence that ends early, and lengths that go beyond it', async () => {
    for (const sizeBytes of [0, 1, 4, 111, 112, 176, 177, 178, world.bytes.length - 1]) {
      expect(await codeOf(world.bytes.subarray(0, sizeBytes))).toBe('ATTESTATION_EVIDENCE_MALFORMED')
    }
    for (const count of [0, 1, 5, 255]) {
      expect(await codeOf(changed(176, [count]))).toBe('ATTESTATION_EVIDENCE_MALFORMED')
    }
    for (const size of [0, 1, 0x7fff, 0xffff]) {
      const code = await codeOf(changed(177, [size & 0xff, size >> 8]))
      expect(['ATTESTATION_EVIDENCE_MALFORMED', 'ATTESTATION_CERTIFICATE_INVALID']).toContain(code)
    }
  })

  test('#2 bytes after the end, and reserved bits', async () => {
    expect(await codeOf(Uint8Array.of(...world.bytes, 0))).toBe('ATTESTATION_EVIDENCE_MALFORMED')
    expect(await codeOf(changed(6, [2]))).toBe('ATTESTATION_EVIDENCE_MALFORMED')
    expect(await codeOf(changed(reportSizeBytes - 1, [1]))).toBe('ATTESTATION_EVIDENCE_MALFORMED')
  })

  test('#3 a signature of zeros, of half zeros, and of ones', async () => {
    for (const [from, to, byte] of [
      [0, 64, 0],
      [0, 32, 0],
      [32, 64, 0],
      [0, 64, 0xff],
    ] as const) {
      const bytes = world.bytes.slice().fill(byte, reportSizeBytes + from, reportSizeBytes + to)
      expect(await codeOf(bytes)).toBe('ATTESTATION_SIGNATURE_INVALID')
    }
  })

  test('#4 #5 another root of the same names', async () => {
    const other = await skeletonWorld()
    expect(await codeOf(other.bytes)).toBe('ATTESTATION_ROOT_UNKNOWN')
    expect(await codeOf(world.bytes, { trustStore: skeletonTrustStore([]) })).toBe('ATTESTATION_ROOT_UNKNOWN')
  })

  test('#6 the trusted root behind a chain of others', async () => {
    const other = await skeletonWorld()
    const chain = [...other.device.chain.slice(0, 2), world.authorities.root.certificate.der]
    const { bytes } = await skeletonAttester({ ...other.device, chain }).produce(reportData)
    expect(await codeOf(bytes, { collateral: other.collateral })).toBe('ATTESTATION_CERTIFICATE_INVALID')
  })

  test('#7 #8 an authority that is none, a leaf that is one, a chain too long, a broken name', async () => {
    const invalid = 'ATTESTATION_CERTIFICATE_INVALID'
    // What may sign neither certificates nor lists leaves the leaf without a list: that is looked at first.
    expect(await codeOfChain({ middle: { isCa: false } })).toBe('ATTESTATION_REVOCATION_UNKNOWN')
    expect(await codeOfChain({ middle: { keyUsage: KeyUsageFlags.cRLSign } })).toBe(invalid)
    expect(await codeOfChain({ leaf: { isCa: true } })).toBe(invalid)
    expect(await codeOfChain({ root: { pathLength: 0 } })).toBe(invalid)
    expect(await codeOfChain({ leaf: { issuerName: 'Somebody' } })).toBe(invalid)
  })

  test('#9 a certificate that does not hold at the time that the caller gives', async () => {
    expect(await codeOfChain({ leaf: { notAfterMs: chainNowMs - 1000 } })).toBe(
      'ATTESTATION_CERTIFICATE_EXPIRED',
    )
    expect(await codeOfChain({ leaf: { notBeforeMs: chainNowMs + 1000 } })).toBe(
      'ATTESTATION_CERTIFICATE_EXPIRED',
    )
    expect(await codeOfChain({ leaf: { notAfterMs: chainNowMs } })).toBe('ok')
  })

  test('#10 a version that is not known', async () => {
    for (const version of [0, 2, 0x0101]) {
      const code = await codeOf(changed(4, [version & 0xff, version >> 8]))
      expect(code).toBe('ATTESTATION_EVIDENCE_UNSUPPORTED')
    }
  })

  test('#12 #13 no expectation, a part of one, or one byte of it', async () => {
    for (const expectedReportData of [
      new Uint8Array(0),
      reportData.subarray(0, 63),
      Uint8Array.of(...reportData, 0),
      reportData.with(63, 0),
    ]) {
      expect(await codeOf(world.bytes, { expectedReportData })).toBe('ATTESTATION_REPORT_DATA_MISMATCH')
    }
  })

  test('#15 evidence of another platform under the name of this one', async () => {
    const bytes = new TextEncoder().encode('another platform altogether')
    expect(await codeOf(bytes)).toBe('ATTESTATION_EVIDENCE_MALFORMED')
  })

  test('#26 a certificate that was revoked, at any place below the root', async () => {
    const { root, middle } = world.authorities
    const withList = (name: string, list: Uint8Array) => new Map([...world.collateral, [name, list]])
    const leaf = withList('skeleton/crl/1', await makeCrl(middle, { revokedSerials: ['03'] }))
    const authority = withList('skeleton/crl/2', await makeCrl(root, { revokedSerials: ['02'] }))
    for (const collateral of [leaf, authority]) {
      expect(await codeOf(world.bytes, { collateral })).toBe('ATTESTATION_CERTIFICATE_REVOKED')
    }
  })

  test('#27 #28 #29 a list that is missing, empty, of another, or out of date', async () => {
    const { root, middle } = world.authorities
    const name = 'skeleton/crl/1'
    const other = await skeletonWorld()
    const missing = new Map([...world.collateral].filter(([it]) => it !== name))
    expect(await codeOf(world.bytes, { collateral: missing })).toBe('ATTESTATION_COLLATERAL_MISSING')
    for (const list of [
      new Uint8Array(0),
      new Uint8Array(100),
      await makeCrl(root),
      await makeCrl(other.authorities.middle),
      await makeCrl(middle, { nextUpdateMs: null }),
      await makeCrl(middle, { nextUpdateMs: chainNowMs - 1000 }),
      await makeCrl(middle, { thisUpdateMs: chainNowMs + dayMs }),
    ]) {
      const collateral = new Map([...world.collateral, [name, list]])
      expect(await codeOf(world.bytes, { collateral })).toBe('ATTESTATION_REVOCATION_UNKNOWN')
    }
  })

  test('a key of another kind signs nothing', async () => {
    const { root, middle } = world.authorities
    const leaf = await issue({ name: 'Test Leaf', serial: '03' }, middle, p384)
    const certificates = [leaf, middle, root].map(({ certificate }) => certificate)
    const chain = certificates.map(({ der }) => der)
    const { bytes } = await skeletonAttester({ ...world.device, chain }).produce(reportData)
    expect(await codeOf(bytes)).toBe('ATTESTATION_SIGNATURE_INVALID')
  })
})

/** Ranges of certificates that their issuers signed: TBSCertificate, each with a header of four bytes, or three. */
function signedRanges(): readonly (readonly [from: number, to: number])[] {
  let at = reportSizeBytes + 64 + 1
  return world.device.chain.map((der) => {
    const from = at + 2 + 4
    at += 2 + der.length
    const [lead, high, low] = [der[5], der[6], der[7]] as [number, number, number]
    return [from, from + (lead === 0x82 ? 4 + high * 256 + low : 3 + high)]
  })
}

test('no change of a signed byte is accepted, and none stops in another way than with a code', async () => {
  const signed = signedRanges()
  const isSigned = (at: number) =>
    at < reportSizeBytes + 64 || signed.some(([from, to]) => at >= from && at < to)
  const codes = new Map<string, number>()
  for (const at of world.bytes.keys()) {
    const code = await codeOf(changed(at, [(world.bytes[at] as number) ^ 0x01]))
    if (isSigned(at)) codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  expect(codes.has('ok')).toBe(false)
  const signedSizeBytes = signed.reduce((sum, [from, to]) => sum + to - from, reportSizeBytes + 64)
  expect([...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(signedSizeBytes)
  // All of the report but magic, version, reserved bytes and a byte of the flags; and all of the signature.
  expect(codes.get('ATTESTATION_SIGNATURE_INVALID')).toBe(reportSizeBytes - 4 - 2 - 4 - 1 + 64)
})

describe('under a policy', () => {
  const verifiers = [simulatedVerifier, skeletonVerifier]
  const input: AppraisalInput = {
    nowMs: chainNowMs,
    nonceIssuedAtMs: chainNowMs - 1000,
    manifest: null,
    capsuleMinimumTier: 'none',
    verifiers,
    references: [],
  }
  const section = { measurements: ['11'.repeat(32)], minimumSvn: 7 }
  const named = { ...policyJson, minimumTier: 'none', allowUnattested: [], platforms: { skeleton: section } }

  async function codes(policy: object, state: Partial<SkeletonWorld['device']['state']> = {}) {
    const device = { ...world.device, state: { ...world.device.state, ...state } }
    const evidence = await skeletonAttester(device).produce(reportData)
    const verified = await skeletonVerifier.verify(evidence, world.context)
    const result = appraise(verified, parsePolicy(policy, verifiers), input)
    return result.status === 'accepted' ? 'accepted' : result.reasons.map(({ code }) => code)
  }

  test('that does not name the platform, it is refused, whatever else the policy takes', async () => {
    expect(await codes({ ...named, platforms: {} })).toEqual(['ATTESTATION_PLATFORM_REFUSED'])
    expect(await codes({ ...policyJson, minimumTier: 'none' })).toEqual(['ATTESTATION_PLATFORM_REFUSED'])
    const others = { ...named, platforms: { sgx: {} } }
    expect(await codes(others)).toEqual(['ATTESTATION_PLATFORM_REFUSED'])
  })

  test('that names it, it is accepted where the rules hold, and never for a tier', async () => {
    expect(await codes(named)).toBe('accepted')
    for (const minimumTier of ['simulated', 'process', 'sgx', 'tdx', 'sev-snp', 'nitro']) {
      expect(await codes({ ...named, minimumTier })).toEqual(['ATTESTATION_TIER_TOO_LOW'])
    }
  })

  test('each rule refuses with its code', async () => {
    expect(await codes(named, { svn: 6 })).toEqual(['ATTESTATION_TCB_REFUSED'])
    expect(await codes(named, { measurement: new Uint8Array(32) })).toEqual([
      'ATTESTATION_MEASUREMENT_UNKNOWN',
    ])
    expect(await codes(named, { debug: true })).toEqual(['ATTESTATION_DEBUG_ENABLED'])
    const open = { ...named, platforms: { skeleton: { ...section, measurements: 'any' } } }
    expect(await codes(open, { measurement: new Uint8Array(32) })).toBe('accepted')
  })

  test.each([
    ['POLICY_FIELD_MISSING', { minimumSvn: 1 }],
    ['POLICY_FIELD_MISSING', { measurements: 'any' }],
    ['POLICY_INVALID', { measurements: 'any', minimumSvn: 'any' }],
    ['POLICY_INVALID', { measurements: [], minimumSvn: 1 }],
    ['POLICY_INVALID', { measurements: ['11'], minimumSvn: 1 }],
    ['POLICY_INVALID', { measurements: 'any', minimumSvn: -1 }],
    ['POLICY_INVALID', { measurements: 'any', minimumSvn: 1, more: 1 }],
  ])('%s for the section %j', (code, skeleton) => {
    const policy = { ...named, platforms: { skeleton } }
    expect(() => parsePolicy(policy, verifiers)).toThrow(expect.objectContaining({ code }))
  })
})

test('a reader who has no such verifier knows no such platform', async () => {
  const evidence = { platform: 'skeleton', bytes: world.bytes }
  const made = verifyEvidence({
    ...world.context,
    evidence,
    verifiers: [simulatedVerifier],
    trustStores: [world.context.trustStore],
  })
  await expect(made).rejects.toMatchObject({ code: 'ATTESTATION_PLATFORM_UNKNOWN' })
  expect(toHex(evidence.bytes.subarray(0, 4))).toBe('534b454c')
})

test('what is published has no skeleton in it', () => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
    publishConfig: { exports: Record<string, unknown> }
  }
  expect(Object.keys(manifest.publishConfig.exports).filter((it) => it.includes('skeleton'))).toEqual([])
})
