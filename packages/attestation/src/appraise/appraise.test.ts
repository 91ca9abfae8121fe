// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { describe, expect, test } from 'vitest'
import { manifest, nowMs, policy, policyJson } from '../../test/world.ts'
import type { EvidenceVerifier, VerifiedEvidence } from '../evidence/verifier.ts'
import { manifestDigest } from '../manifest/manifest.ts'
import { parsePolicy } from '../policy/policy.ts'
import { simulatedVerifier } from '../simulated/index.ts'
import { type AppraisalInput, appraise } from './appraise.ts'
import { requireAccepted } from './result.ts'

/** A platform that measures manifests itself, and rules nothing. */
const dcap: EvidenceVerifier = { ...simulatedVerifier, name: 'dcap' }
const verifiers = [simulatedVerifier, dcap]

const simulated: VerifiedEvidence = {
  platform: 'simulated',
  rootKind: 'simulated',
  tier: 'none',
  root: 'ab'.repeat(32),
  manifestSha384: manifestDigest(manifest),
  debug: false,
  tcbStatus: 'none',
  advisoryIds: [],
  measurement: {},
  claims: null,
}
const hardware: VerifiedEvidence = {
  ...simulated,
  platform: 'dcap',
  rootKind: 'hardware',
  tier: 'sgx',
  tcbStatus: 'UpToDate',
}
const input: AppraisalInput = {
  nowMs,
  nonceIssuedAtMs: nowMs - 10_000,
  manifest,
  capsuleMinimumTier: 'none',
  verifiers,
  references: [],
}
const production = {
  ...policyJson,
  allowUnattested: [],
  tcbStatuses: ['UpToDate'],
  platforms: { dcap: {} },
}

const codes = (evidence: VerifiedEvidence, changes: object, more: Partial<AppraisalInput> = {}) => {
  const result = appraise(evidence, parsePolicy({ ...policyJson, platforms: { dcap: {} }, ...changes }), {
    ...input,
    ...more,
  })
  return result.status === 'accepted' ? 'accepted' : result.reasons.map((it) => it.code)
}

describe('appraise', () => {
  test('an unattested entry that the policy names is accepted at tier none, and marked', () => {
    expect(appraise(simulated, policy, input)).toMatchObject({
      status: 'accepted',
      policy: 'development',
      platform: 'simulated',
      tier: 'none',
      entry: 'worker',
      unattested: true,
      manifestSha384: toHex(manifestDigest(manifest)),
      tcbStatus: 'none',
    })
  })

  test('hardware evidence is accepted by a production policy', () => {
    expect(appraise(hardware, parsePolicy(production), input)).toMatchObject({
      status: 'accepted',
      tier: 'sgx',
      unattested: false,
    })
  })

  test('the result has the registers that say what runs, not those that say where or for whom', () => {
    const board = { ...dcap, identifyingRegisters: [['image', 'kernel'], ['product']] }
    const measurement = { image: 'aa', kernel: 'bb', instance: 'cc' }
    const shown = (given: typeof production) =>
      appraise({ ...hardware, measurement }, parsePolicy(given), { ...input, verifiers: [board] })
    const expected = { measurement: { image: 'aa', kernel: 'bb' } }
    expect(shown(production)).toMatchObject({ status: 'accepted', ...expected })
    expect(shown({ ...production, tcbStatuses: ['OutOfDate'] })).toMatchObject({
      status: 'refused',
      ...expected,
    })
    expect(shown(production).measurement).not.toHaveProperty('instance')
  })

  test.each<[string, VerifiedEvidence, object, Partial<AppraisalInput>, unknown]>([
    [
      'another entry than named',
      simulated,
      { allowUnattested: ['process'] },
      {},
      ['ATTESTATION_TIER_TOO_LOW'],
    ],
    [
      'an entry not named, tier none asked',
      simulated,
      { allowUnattested: ['vm'], minimumTier: 'none' },
      {},
      ['ATTESTATION_TIER_TOO_LOW'],
    ],
    [
      'a capsule that asks for more than simulated',
      simulated,
      {},
      { capsuleMinimumTier: 'process' },
      ['ATTESTATION_TIER_TOO_LOW'],
    ],
    [
      'a root that is not listed',
      simulated,
      { simulatedRoots: ['cd'.repeat(32)] },
      {},
      ['ATTESTATION_ROOT_UNKNOWN'],
    ],
    [
      'an unknown measurement',
      hardware,
      { manifests: [{ sha384: '00'.repeat(48) }] },
      {},
      ['ATTESTATION_MEASUREMENT_UNKNOWN'],
    ],
    [
      'another manifest than measured',
      hardware,
      {},
      { manifest: { ...manifest, entry: 'process' } },
      ['ATTESTATION_MANIFEST_MISMATCH'],
    ],
    ['debug mode', { ...hardware, debug: true }, {}, {}, ['ATTESTATION_DEBUG_ENABLED']],
    [
      'old firmware',
      { ...hardware, tcbStatus: 'OutOfDate' },
      { tcbStatuses: ['UpToDate'] },
      {},
      ['ATTESTATION_TCB_REFUSED'],
    ],
    ['a capsule that asks for simulated', simulated, {}, { capsuleMinimumTier: 'simulated' }, 'accepted'],
    ['evidence at the age limit', hardware, { maxEvidenceAgeSeconds: 10 }, {}, 'accepted'],
    [
      'evidence beyond the age limit',
      hardware,
      { maxEvidenceAgeSeconds: 9 },
      {},
      ['ATTESTATION_EVIDENCE_TOO_OLD'],
    ],
    [
      'old nonce, fresh evidence by a trusted clock',
      { ...hardware, producedAtMs: nowMs - 1000 },
      { maxEvidenceAgeSeconds: 5 },
      {},
      'accepted',
    ],
    ['a tier too low', { ...hardware, tier: 'process' }, {}, {}, ['ATTESTATION_TIER_TOO_LOW']],
    ['another hardware tier of the same rank', { ...hardware, tier: 'nitro' }, {}, {}, 'accepted'],
    [
      'a platform that the policy does not name',
      hardware,
      { platforms: {} },
      {},
      ['ATTESTATION_PLATFORM_REFUSED'],
    ],
    [
      'an advisory that is not listed',
      { ...hardware, advisoryIds: ['A-1', 'A-2'] },
      { advisories: ['A-1'] },
      {},
      ['ATTESTATION_TCB_REFUSED'],
    ],
    [
      'advisories that are listed',
      { ...hardware, advisoryIds: ['A-1'] },
      { advisories: ['A-1', 'A-3'] },
      {},
      'accepted',
    ],
    ['no manifest shown, any taken', hardware, {}, { manifest: null }, 'accepted'],
    [
      'no manifest shown, one asked for',
      hardware,
      { manifests: [{ sha384: toHex(manifestDigest(manifest)) }] },
      { manifest: null },
      ['ATTESTATION_MEASUREMENT_UNKNOWN'],
    ],
    ['no manifest shown and no hardware', simulated, {}, { manifest: null }, ['ATTESTATION_TIER_TOO_LOW']],
  ])('%s', (_reason, evidence, changes, more, expected) => {
    expect(codes(evidence, changes, more)).toEqual(expected)
  })

  test('all reasons are found, and the first is thrown with all in its message', () => {
    const result = appraise({ ...simulated, debug: true }, parsePolicy(production), input)
    expect(result).toMatchObject({ status: 'refused', tier: 'none' })
    const found = result.status === 'refused' ? result.reasons.map((it) => it.code) : []
    expect(found).toEqual([
      'POLICY_SIMULATED_ROOT_REFUSED',
      'ATTESTATION_TIER_TOO_LOW',
      'ATTESTATION_DEBUG_ENABLED',
      'ATTESTATION_TCB_REFUSED',
    ])
    expect(() => requireAccepted(result)).toThrow(expect.objectContaining({ code: found[0] }))
    for (const code of found) expect(() => requireAccepted(result)).toThrow(code)
  })
})
