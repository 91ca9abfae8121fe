// SPDX-License-Identifier: Apache-2.0
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  signJws,
  toBase64Url,
  toHex,
} from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectChangesRefused } from '../../test/changed-token.ts'
import { manifest, nowMs, policyJson } from '../../test/world.ts'
import { appraise } from '../appraise/appraise.ts'
import type { EvidenceVerifier, VerifiedEvidence } from '../evidence/verifier.ts'
import { type EnclaveManifest, manifestDigest } from '../manifest/manifest.ts'
import { parsePolicy } from '../policy/policy.ts'
import { simulatedVerifier } from '../simulated/index.ts'
import {
  findReference,
  type ReferenceValue,
  readReference,
  referenceTyp,
  signReference,
  verifyReference,
} from './reference-value.ts'

const measurement = { mrTd: 'ab'.repeat(48), rtmr1: 'cd'.repeat(48), rtmr2: 'ef'.repeat(48) }
const registers = [['mrTd', 'rtmr1', 'rtmr2'], ['mrSigner']]
const value = {
  release: 'runtime-1.2.0',
  platform: 'board',
  measurement,
  manifest: toHex(manifestDigest(manifest)),
}

let signer: SigningKeyPair
let thumbprint: string
let token: string
beforeAll(async () => {
  await cryptoReady()
  signer = generateSigningKeyPair(seeded('reference signer'))
  thumbprint = keyThumbprint(signer.publicKey)
  token = await signReference({ signer, ...value })
})

/** A hardware platform that measures registers, not manifests. */
const board: EvidenceVerifier = { ...simulatedVerifier, name: 'board', identifyingRegisters: registers }
const measured: VerifiedEvidence = {
  platform: 'board',
  rootKind: 'hardware',
  tier: 'tdx',
  root: 'ab'.repeat(32),
  manifestSha384: null,
  measurement: { ...measurement, rtmr0: '00'.repeat(48) },
  debug: false,
  tcbStatus: 'UpToDate',
  advisoryIds: [],
  claims: null,
}

describe('signReference and verifyReference', () => {
  test('a value comes back with its signer', async () => {
    expect(await verifyReference(token, [thumbprint])).toEqual({ ...value, signer: thumbprint })
    expect(await readReference(token)).toEqual({ ...value, signer: thumbprint })
  })

  test('#77 a signer who is not named is refused, whatever the token says of itself', async () => {
    const other = generateSigningKeyPair(seeded('other signer'))
    const code = 'ATTESTATION_REFERENCE_INVALID'
    expect(await codeOf(() => verifyReference(token, []))).toBe(code)
    expect(await codeOf(() => verifyReference(token, [keyThumbprint(other.publicKey)]))).toBe(code)
    // Signed by one key, naming the other as its issuer.
    const payload = { iss: toBase64Url(signer.publicKey), version: 1, ...value }
    const forged = await signJws({ ...other, typ: referenceTyp, payload })
    expect(await codeOf(() => verifyReference(forged, [thumbprint]))).toBe(code)
    expect(await codeOf(() => verifyReference(forged, [keyThumbprint(other.publicKey)]))).toBe(code)
    expect(await codeOf(() => readReference(forged))).toBe(code)
  })

  test.each<[string, object]>([
    ['a register whose name is none', { measurement: { 'mr td': 'ab' } }],
    ['an empty register', { measurement: { mrTd: '' } }],
    ['a register in upper case', { measurement: { mrTd: 'AB' } }],
    ['half a byte', { measurement: { mrTd: 'abc' } }],
    ['a register longer than 64 bytes', { measurement: { mrTd: 'ab'.repeat(65) } }],
    ['a manifest of another size', { manifest: 'ab'.repeat(32) }],
    ['a platform that is no name', { platform: 'Intel TDX' }],
    ['a release that is no name', { release: '' }],
    ['an unknown member', { note: 'x' }],
    ['another version', { version: 2 }],
  ])('refuses %s', async (_what, changes) => {
    const payload = { iss: toBase64Url(signer.publicKey), version: 1, ...value, ...changes }
    const signed = await signJws({ ...signer, typ: referenceTyp, payload })
    expect(await codeOf(() => verifyReference(signed, [thumbprint]))).toBe('ATTESTATION_REFERENCE_INVALID')
  })

  test('does not sign what would not be read', async () => {
    const code = 'ATTESTATION_REFERENCE_INVALID'
    expect(await codeOf(() => signReference({ signer, ...value, manifest: 'ab' }))).toBe(code)
  })

  test('a token of another type is refused', async () => {
    const payload = { iss: toBase64Url(signer.publicKey), version: 1, ...value }
    const other = await signJws({ ...signer, typ: 'mlc-challenge+jwt', payload })
    expect(await codeOf(() => verifyReference(other, [thumbprint]))).toBe('JWS_TYPE_MISMATCH')
  })

  test('a token that is changed anywhere is refused with a code', async () => {
    await expectChangesRefused(token, (changed) => verifyReference(changed, [thumbprint]), readReference)
  })
})

describe('findReference', () => {
  const reference = (changes: Partial<ReferenceValue> = {}): ReferenceValue => ({
    ...value,
    signer: thumbprint,
    ...changes,
  })
  const finds = (changes: Partial<ReferenceValue>, evidence = measured) =>
    findReference([reference(changes)], evidence, registers) !== undefined

  test('by all registers that say what runs', () => {
    expect(finds({})).toBe(true)
    expect(finds({ measurement: { ...measurement, rtmr0: '00'.repeat(48) } })).toBe(true)
  })

  test('#42 a value that leaves out a register says nothing', () => {
    for (const left of Object.keys(measurement)) {
      const { [left as 'mrTd']: _left, ...rest } = measurement
      expect([left, finds({ measurement: rest })]).toEqual([left, false])
    }
    expect(finds({ measurement: {} })).toBe(false)
  })

  test('any register that differs, or that the evidence does not have, is another measurement', () => {
    for (const name of Object.keys(measurement)) {
      expect(finds({ measurement: { ...measurement, [name]: '00'.repeat(48) } })).toBe(false)
    }
    expect(finds({ measurement: { ...measurement, rtmr3: '00'.repeat(48) } })).toBe(false)
    expect(finds({ measurement: { ...measurement, mrTd: 'ab' } })).toBe(false)
    expect(finds({ measurement: { ...measurement, toString: 'ab' } })).toBe(false)
  })

  test('another of the lists serves as well', () => {
    const evidence = { ...measured, measurement: { mrSigner: 'aa', mrTd: 'bb' } }
    expect(finds({ measurement: { mrSigner: 'aa' } }, evidence)).toBe(true)
    expect(finds({ measurement: { mrTd: 'bb' } }, evidence)).toBe(false)
  })

  test('#15 a value for another platform says nothing', () => {
    expect(finds({ platform: 'other' })).toBe(false)
  })

  test('a platform that has no such registers finds none', () => {
    expect(findReference([reference()], measured, [])).toBeUndefined()
  })
})

describe('appraise', () => {
  const policy = (changes: object = {}) =>
    parsePolicy({
      ...policyJson,
      allowUnattested: [],
      manifests: [{ sha384: value.manifest }],
      referenceSigners: [thumbprint],
      platforms: { board: {} },
      ...changes,
    })
  const codes = async (
    tokens: readonly string[],
    shown: EnclaveManifest | null = manifest,
    given = policy(),
    evidence = measured,
  ) => {
    const references = await Promise.all(tokens.map((it) => verifyReference(it, [thumbprint])))
    const result = appraise(evidence, given, {
      nowMs,
      nonceIssuedAtMs: nowMs,
      manifest: shown,
      capsuleMinimumTier: 'sgx',
      verifiers: [board],
      references,
    })
    return result.status === 'accepted' ? result.manifestSha384 : result.reasons.map((it) => it.code)
  }

  test('a manifest counts through the reference value that the measurement leads to', async () => {
    expect(await codes([token])).toBe(value.manifest)
  })

  test('#77 without one no manifest counts, not even under a policy that takes any', async () => {
    expect(await codes([])).toEqual(['ATTESTATION_MEASUREMENT_UNKNOWN'])
    expect(await codes([], manifest, policy({ manifests: 'any' }))).toEqual([
      'ATTESTATION_MEASUREMENT_UNKNOWN',
    ])
    const other = await signReference({ signer, ...value, platform: 'other' })
    expect(await codes([other])).toEqual(['ATTESTATION_MEASUREMENT_UNKNOWN'])
  })

  test('the manifest shown has to be the one of the reference value', async () => {
    expect(await codes([token], { ...manifest, entry: 'vm' }, policy({ manifests: 'any' }))).toEqual([
      'ATTESTATION_MANIFEST_MISMATCH',
    ])
  })

  test('the policy has to take the manifest too', async () => {
    expect(await codes([token], manifest, policy({ manifests: [{ sha384: '00'.repeat(48) }] }))).toEqual([
      'ATTESTATION_MEASUREMENT_UNKNOWN',
    ])
  })

  test('#77 a value by a signer whom the policy does not name stops the appraisal', async () => {
    await expect(codes([token], manifest, policy({ referenceSigners: [] }))).rejects.toThrow(
      expect.objectContaining({ code: 'ATTESTATION_REFERENCE_INVALID', field: 'references' }),
    )
  })

  test('of several values the one that fits is found', async () => {
    const other = { ...value, measurement: { ...measurement, rtmr2: '00'.repeat(48) } }
    const wrong = await signReference({ signer, ...other, manifest: '00'.repeat(48) })
    expect(await codes([wrong, token])).toBe(value.manifest)
  })

  test('a platform that measures manifests itself needs none, and lets none speak for it', async () => {
    const own = { ...measured, manifestSha384: manifestDigest({ ...manifest, entry: 'vm' }) }
    expect(await codes([token], manifest, policy(), own)).toEqual(['ATTESTATION_MANIFEST_MISMATCH'])
  })
})
