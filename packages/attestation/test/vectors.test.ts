// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { cryptoReady, expose, fromHex, Secret, toHex } from '@mlcapsule/crypto'
import { codeOf, loadVectors, readVectorFiles } from '@mlcapsule/crypto/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  appraise,
  buildReportClaims,
  decideActivation,
  manifestDigest,
  openRelease,
  parsePolicy,
  type ReportClaims,
  readChallenge,
  reportData,
  tpmQualifyingData,
  verifyChallenge,
  verifyEvidence,
  verifyReference,
  verifyRequest,
  verifyResponse,
} from '../src/index.ts'
import { findReference } from '../src/reference/reference-value.ts'
import { simulatedTrustStore, simulatedVerifier } from '../src/simulated/index.ts'
import { activationVectors } from './vectors/activation.ts'
import { evidenceVectors } from './vectors/evidence.ts'

const root = join(import.meta.dirname, '../../../vectors')
const load = (folder: string) => loadVectors(join(root, folder))
const storeOf = (roots: 'any' | string[]) => simulatedTrustStore(roots === 'any' ? roots : roots.map(fromHex))
const verifiers = [simulatedVerifier]

beforeAll(cryptoReady)

test('the generators make the committed vectors, byte for byte', async () => {
  expect(await evidenceVectors()).toEqual(readVectorFiles(join(root, 'evidence')))
  expect(await activationVectors()).toEqual(readVectorFiles(join(root, 'tokens/activation')))
})

describe('report data', () => {
  test.each(load('evidence/report-data'))('%s', (_name, { claims, expected }) => {
    const { purpose, order, anchor, ...hex } = claims
    const bytes = Object.fromEntries(
      Object.entries(hex).map(([name, value]) => [name, fromHex(value as string)]),
    )
    const built = buildReportClaims({
      purpose,
      order,
      anchor: anchor && fromHex(anchor),
      ...bytes,
    } as ReportClaims)
    expect({
      claims: toHex(built),
      reportData: toHex(reportData(built)),
      tpmQualifyingData: toHex(tpmQualifyingData(reportData(built))),
    }).toEqual(expected)
  })
})

describe('manifests', () => {
  test.each(load('evidence/manifests'))('%s', async (_name, { manifest, expected }) => {
    if (expected.code !== undefined) expect(await codeOf(() => manifestDigest(manifest))).toBe(expected.code)
    else expect(toHex(manifestDigest(manifest))).toBe(expected.sha384)
  })
})

describe('appraisal', () => {
  test.each(load('evidence/appraisal'))('%s', async (_name, vector) => {
    const verify = () =>
      verifyEvidence({
        evidence: { platform: vector.evidence.platform, bytes: fromHex(vector.evidence.bytes) },
        verifiers,
        trustStores: [storeOf(vector.roots)],
        nowMs: vector.nowMs,
        expectedReportData: fromHex(vector.expectedReportData),
      })
    const outcome: Record<string, unknown> = { verify: await codeOf(verify) }
    if (outcome.verify === 'ok') {
      const result = appraise(await verify(), parsePolicy(vector.policy), {
        ...vector,
        verifiers,
        references: [],
      })
      outcome.status = result.status
      if (result.status === 'refused') outcome.reasons = result.reasons.map((it) => it.code)
      else Object.assign(outcome, { tier: result.tier, unattested: result.unattested })
    }
    expect(outcome).toEqual(vector.expected)
  })
})

describe('reference values', () => {
  test.each(load('evidence/references'))('%s', async (_name, vector) => {
    const verify = () => verifyReference(vector.token, vector.signers)
    const outcome: Record<string, unknown> = { verify: await codeOf(verify) }
    if (outcome.verify === 'ok') {
      const found = findReference([await verify()], vector.evidence, vector.identifyingRegisters)
      outcome.manifest = found?.manifest ?? null
    }
    expect(outcome).toEqual(vector.expected)
  })
})

describe('challenge', () => {
  test.each(load('tokens/activation/challenge'))('%s', async (_name, vector) => {
    const options = { authority: vector.authority, capsuleId: fromHex(vector.capsuleId), nowMs: vector.nowMs }
    expect(await codeOf(() => verifyChallenge(vector.token, options))).toBe(vector.expected.code)
  })
})

describe('request', () => {
  test.each(load('tokens/activation/request'))('%s', async (_name, vector) => {
    const verify = () => verifyRequest(vector.token, vector.authority)
    const outcome: Record<string, unknown> = { verify: await codeOf(verify) }
    if (outcome.verify === 'ok') {
      const { capsule, answeredRequestHash: answered } = vector
      const decision = await decideActivation({
        request: await verify(),
        challenge: { claims: vector.challenge, answeredRequestHash: answered && fromHex(answered) },
        capsule: {
          capsuleId: fromHex(capsule.capsuleId),
          headerHash: fromHex(capsule.headerHash),
          minimumTier: capsule.minimumTier,
        },
        policy: parsePolicy(vector.policy),
        verifiers,
        trustStores: [storeOf(vector.roots)],
        nowMs: vector.nowMs,
      })
      outcome.decision = decision.status
      if (decision.status === 'refused') outcome.reasons = decision.reasons.map((it) => it.code)
      if (decision.status === 'accepted') outcome.reportData = toHex(decision.reportData)
    }
    expect(outcome).toEqual(vector.expected)
  })
})

describe('response', () => {
  test.each(load('tokens/activation/response'))('%s', async (_name, vector) => {
    const challenge = await readChallenge(vector.challenge, vector.authority)
    const verify = () => verifyResponse(vector.token, { authority: vector.authority, challenge })
    const outcome: Record<string, unknown> = { verify: await codeOf(verify) }
    if (outcome.verify === 'ok') {
      const { license, release } = await verify()
      const open = () =>
        openRelease({
          privateKey: Secret.fromBytes('x25519-private', fromHex(vector.releasePrivateKey)),
          sealed: release,
          reportData: fromHex(vector.reportData),
          license,
        })
      outcome.open = await codeOf(open)
      if (outcome.open === 'ok') {
        const { contentKey, defenseSeed, stateKey } = await open()
        outcome.keys = {
          contentKey: toHex(expose(contentKey, 'content-key')),
          defenseSeed: toHex(expose(defenseSeed, 'defense-seed')),
          stateKey: toHex(expose(stateKey, 'state-key')),
        }
      }
    }
    expect(outcome).toEqual(vector.expected)
  })
})
