// SPDX-License-Identifier: Apache-2.0
import {
  decodeCbor,
  expose,
  openKeyRelease,
  releaseKeyPairFrom,
  Secret,
  sealKeyRelease,
  signJws,
  toBase64Url,
} from '@mlcapsule/crypto'
import { seeded } from '@mlcapsule/crypto/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { createWorld, nowMs, policy, policyJson, type World } from '../../test/world.ts'
import { parsePolicy } from '../policy/policy.ts'
import { simulatedTrustStore, simulatedVerifier } from '../simulated/index.ts'
import { challengeTyp, readChallenge, verifyChallenge } from './challenge.ts'
import { type DecideActivationInput, decideActivation } from './decide.ts'
import { openRelease, releaseInfo, sealRelease } from './release.ts'
import { activationReportData, verifyRequest } from './request.ts'
import { createResponse, responseTyp, verifyResponse } from './response.ts'
import { decodeTokenFile, encodeTokenFile } from './token-file.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})

const code = (code: string) => expect.objectContaining({ code })

describe('challenge', () => {
  const options = () => ({ authority: world.trusted, capsuleId: world.capsule.capsuleId, nowMs })

  test('is read back', async () => {
    const read = await verifyChallenge(world.challenge.token, options())
    expect(read).toEqual(world.challenge)
    expect(read.claims).toMatchObject({ order: 'order-1', purpose: 'activate', exp: nowMs / 1000 + 600 })
    expect(read.customerKey).toEqual(world.customer.publicKey)
  })

  test.each([
    ['in its last second', 599_000, undefined],
    ['at its end', 600_000, 'CHALLENGE_EXPIRED'],
    ['by a clock 300 s behind', -300_000, undefined],
    ['by a clock further behind', -301_000, 'CHALLENGE_NOT_YET_VALID'],
    ['by a clock that shows no time', Number.NaN, 'CHALLENGE_EXPIRED'],
  ])('%s', async (_when, offsetMs, expected) => {
    const check = verifyChallenge(world.challenge.token, { ...options(), nowMs: nowMs + offsetMs })
    if (expected === undefined) await expect(check).resolves.toMatchObject({ token: world.challenge.token })
    else await expect(check).rejects.toThrow(code(expected))
  })

  test('of another signer or capsule is refused', async () => {
    const foreign = await world.issue({ authority: world.pair('foreign authority') })
    await expect(verifyChallenge(foreign.token, options())).rejects.toThrow(code('CHALLENGE_SIGNER_UNKNOWN'))
    await expect(
      verifyChallenge(world.challenge.token, { ...options(), capsuleId: seeded('other') }),
    ).rejects.toThrow(code('CHALLENGE_CAPSULE_MISMATCH'))
  })

  test('whose iss is another key than the signer is refused', async () => {
    const foreign = world.pair('foreign authority')
    const payload = { ...world.challenge.claims, iss: toBase64Url(world.authority.publicKey) }
    const token = await signJws({ typ: challengeTyp, ...foreign, payload })
    await expect(readChallenge(token, world.trusted)).rejects.toThrow(code('CHALLENGE_SIGNER_UNKNOWN'))
  })

  test.each([
    ['an unknown member', { note: 1 }],
    ['a lifetime beyond 31 days', { exp: nowMs / 1000 + 2_678_401 }],
    ['an end before its start', { exp: nowMs / 1000 }],
    ['a short nonce', { nonce: toBase64Url(new Uint8Array(31)) }],
    ['a purpose unknown', { purpose: 'other' }],
    ['a key of another kind', { cnf: { jwk: { crv: 'X25519', kty: 'OKP', x: toBase64Url(seeded('x')) } } }],
  ])('with %s is refused', async (_reason, change) => {
    const payload = { ...world.challenge.claims, ...change }
    const token = await signJws({ typ: challengeTyp, ...world.authority, payload })
    await expect(readChallenge(token, world.trusted)).rejects.toThrow(code('CHALLENGE_MALFORMED'))
  })
})

describe('decideActivation', () => {
  const input = async (
    changes: Partial<DecideActivationInput> = {},
    token?: string,
  ): Promise<DecideActivationInput> => ({
    request: await verifyRequest(token ?? (await world.answer(world.challenge)), world.trusted),
    challenge: { claims: world.challenge.claims, answeredRequestHash: null },
    capsule: world.capsule,
    policy,
    verifiers: [simulatedVerifier],
    trustStores: [simulatedTrustStore('any')],
    nowMs,
    ...changes,
  })
  const codes = async (changes: Partial<DecideActivationInput>, token?: string) => {
    const decision = await decideActivation(await input(changes, token))
    return decision.status === 'refused' ? decision.reasons.map((it) => it.code) : decision.status
  }

  test('accepts, with the report data that the enclave made', async () => {
    const decision = await decideActivation(await input())
    expect(decision).toMatchObject({ status: 'accepted', attestation: { tier: 'none', unattested: true } })
    const made = activationReportData(world.challenge, world.enclave)
    expect(decision.status === 'accepted' && decision.reportData).toEqual(made)
  })

  test('the same bytes again are repeated, even late; other bytes are a replay', async () => {
    const { request } = await input()
    const answered = { claims: world.challenge.claims, answeredRequestHash: request.hash }
    expect(await codes({ challenge: answered })).toBe('repeated')
    expect(await codes({ challenge: answered, nowMs: nowMs + 9_000_000 })).toBe('repeated')
    const other = await world.answer(world.challenge, { anchor: null })
    expect(await codes({ challenge: answered }, other)).toEqual(['ACTIVATION_REPLAYED'])
  })

  test('refuses what is late, for another challenge, capsule or policy', async () => {
    expect(await codes({ nowMs: nowMs + 600_000 })).toEqual(['CHALLENGE_EXPIRED'])
    const stored = { claims: { ...world.challenge.claims, order: 'order-2' }, answeredRequestHash: null }
    expect(await codes({ challenge: stored })).toEqual(['ACTIVATION_BINDING_MISMATCH'])
    const capsule = { ...world.capsule, headerHash: seeded('other header') }
    expect(await codes({ capsule })).toEqual(['ACTIVATION_BINDING_MISMATCH'])
    expect(await codes({ capsule: { ...world.capsule, capsuleId: seeded('c') } })).toEqual([
      'ACTIVATION_BINDING_MISMATCH',
    ])
    const production = parsePolicy({ ...policyJson, allowUnattested: [] })
    expect(await codes({ policy: production })).toEqual(['POLICY_SIMULATED_ROOT_REFUSED'])
    expect(await codes({ policy: production, trustStores: [] })).toEqual(['ATTESTATION_PLATFORM_UNKNOWN'])
    const pinned = parsePolicy({ ...policyJson, manifests: [{ sha384: '00'.repeat(48) }] })
    expect(await codes({ policy: pinned })).toEqual(['ATTESTATION_MEASUREMENT_UNKNOWN'])
  })

  test.each([
    ['release key', { releaseKey: seeded('other') }],
    ['identity', { identityKey: seeded('other') }],
    ['anchor', { anchor: null }],
  ])('#73 refuses a request whose %s is not what the evidence binds', async (_what, change) => {
    const token = await world.answer(world.challenge, change)
    expect(await codes({}, token)).toEqual(['ATTESTATION_REPORT_DATA_MISMATCH'])
  })

  test('a manifest exchanged in the request is found', async () => {
    const manifest = { ...world.enclave.manifest, entry: 'process' as const }
    const token = await world.answer(world.challenge, { manifest })
    expect(await codes({}, token)).toEqual(['ATTESTATION_REPORT_DATA_MISMATCH'])
  })

  test('a request that another customer signed is refused', async () => {
    const token = await world.answer(world.challenge, {}, world.pair('thief'))
    await expect(verifyRequest(token, world.trusted)).rejects.toThrow(code('ACTIVATION_BINDING_MISMATCH'))
  })

  test('a request for a challenge of another provider is refused', async () => {
    const token = await world.answer(world.challenge)
    await expect(verifyRequest(token, [])).rejects.toThrow(code('CHALLENGE_SIGNER_UNKNOWN'))
  })
})

describe('key release and response', () => {
  const license = 'e30.e30.license'
  const keys = () => ({
    contentKey: Secret.fromBytes('content-key', seeded('ck')),
    defenseSeed: Secret.fromBytes('defense-seed', seeded('ds')),
    stateKey: Secret.fromBytes('state-key', seeded('sk')),
  })
  const reportData = new Uint8Array(64).fill(9)
  const seal = () => sealRelease({ ...keys(), releaseKey: world.release.publicKey, reportData, license })
  const privateKey = () => world.release.privateKey

  test('the keys arrive', async () => {
    const opened = await openRelease({ privateKey: privateKey(), sealed: await seal(), reportData, license })
    expect(expose(opened.contentKey, 'content-key')).toEqual(seeded('ck'))
    expect(expose(opened.defenseSeed, 'defense-seed')).toEqual(seeded('ds'))
    expect(expose(opened.stateKey, 'state-key')).toEqual(seeded('sk'))
  })

  test('keys of which one is wiped are not sealed', async () => {
    const wiped = keys()
    wiped.stateKey.wipe()
    const sealing = sealRelease({ ...wiped, releaseKey: world.release.publicKey, reportData, license })
    await expect(sealing).rejects.toThrow(code('KEY_WIPED'))
  })

  test('the plaintext is deterministic CBOR {1, 2, 3}', async () => {
    const { enc, ciphertext } = await seal()
    const plaintext = await openKeyRelease(privateKey(), enc, releaseInfo(reportData, license), ciphertext)
    expect(decodeCbor(plaintext, { maxSizeBytes: 200 })).toEqual(
      new Map([
        [1, seeded('ck')],
        [2, seeded('ds')],
        [3, seeded('sk')],
      ]),
    )
  })

  test('opens for no other license, report data or key', async () => {
    const sealed = await seal()
    const opening = { privateKey: privateKey(), sealed, reportData, license }
    const other = releaseKeyPairFrom(Secret.fromBytes('x25519-private', seeded('other'))).privateKey
    for (const change of [{ license: 'x' }, { reportData: new Uint8Array(64) }, { privateKey: other }]) {
      await expect(openRelease({ ...opening, ...change })).rejects.toThrow(code('SEAL_OPEN_FAILED'))
    }
  })

  test('another plaintext is refused', async () => {
    const info = releaseInfo(reportData, license)
    for (const sizeBytes of [0, 105, 106, 107]) {
      const sealed = await sealKeyRelease(world.release.publicKey, info, new Uint8Array(sizeBytes))
      await expect(openRelease({ privateKey: privateKey(), sealed, reportData, license })).rejects.toThrow(
        code('ACTIVATION_RELEASE_INVALID'),
      )
    }
  })

  test('a response is read back, and refused when it is not for this enclave', async () => {
    const { authority, challenge, trusted } = world
    const release = await seal()
    const token = await createResponse({ authority, challengeId: challenge.claims.jti, license, release })
    expect(await verifyResponse(token, { authority: trusted, challenge })).toEqual({ license, release })
    const later = await world.issue({ random: (sizeBytes) => new Uint8Array(sizeBytes).fill(1) })
    await expect(verifyResponse(token, { authority: trusted, challenge: later })).rejects.toThrow(
      code('ACTIVATION_BINDING_MISMATCH'),
    )
    await expect(verifyResponse(token, { authority: ['x'], challenge })).rejects.toThrow(
      code('ACTIVATION_SIGNER_UNKNOWN'),
    )
  })

  test('a response whose license was exchanged is refused', async () => {
    const { authority, challenge, trusted } = world
    const payload = {
      iss: toBase64Url(authority.publicKey),
      jti: challenge.claims.jti,
      licenseHash: toBase64Url(seeded('license hash')),
      enc: toBase64Url(seeded('enc')),
      ct: 'AA',
      license,
    }
    const sign = (changes: object) =>
      signJws({ typ: responseTyp, ...authority, payload: { ...payload, ...changes } })
    await expect(verifyResponse(await sign({}), { authority: trusted, challenge })).rejects.toThrow(
      code('ACTIVATION_BINDING_MISMATCH'),
    )
    await expect(verifyResponse(await sign({ ct: '' }), { authority: trusted, challenge })).rejects.toThrow(
      code('ACTIVATION_RESPONSE_MALFORMED'),
    )
  })
})

describe('token files', () => {
  test('hold one token and a line feed', () => {
    const bytes = encodeTokenFile(world.challenge.token)
    expect(bytes.at(-1)).toBe(10)
    expect(decodeTokenFile(bytes)).toBe(world.challenge.token)
    expect(decodeTokenFile(bytes.subarray(0, -1))).toBe(world.challenge.token)
  })

  test.each([
    ['nothing', ''],
    ['two tokens', 'a.b.c\na.b.c\n'],
    ['JSON', '{"token":"a.b.c"}'],
    ['too much', 'a'.repeat(70_000)],
    ['two line ends', 'a.b.c\n\n'],
    ['a byte order mark', '\ufeffa.b.c\n'],
  ])('with %s are refused', (_reason, text) => {
    expect(() => decodeTokenFile(new TextEncoder().encode(text))).toThrow(
      code('ACTIVATION_TOKEN_FILE_INVALID'),
    )
  })
})
