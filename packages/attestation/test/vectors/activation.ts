// SPDX-License-Identifier: Apache-2.0
import { expose, type SigningKeyPair, signJws, toBase64Url, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { payloadOf, seeded, type VectorCase, vectorFiles } from '@mlcapsule/crypto/testing'
import {
  activationReportData,
  challengeTyp,
  releaseInfo,
  requestTyp,
  responseTyp,
  tokenHash,
} from '../../src/index.ts'
import { sealWithEphemeral } from '../hpke-sender.ts'
import { createWorld, manifest, nowMs, policyJson, type World } from '../world.ts'

/** Stands for a license: an activation passes it through unread. */
const license = 'bGljZW5zZQ.bGljZW5zZQ.bGljZW5zZQ'

async function challengeCases(world: World): Promise<Record<string, VectorCase>> {
  const { authority, capsule, challenge, trusted, pair } = world
  const { claims } = challenge
  const make = async (
    reason: string,
    expected: string,
    changes: { payload?: object; signer?: SigningKeyPair; typ?: string; nowMs?: number; token?: string } = {},
  ): Promise<VectorCase> => {
    const payload = { ...claims, ...changes.payload }
    const signed = signJws({ typ: changes.typ ?? challengeTyp, ...(changes.signer ?? authority), payload })
    return {
      clause: '2',
      reason,
      token: changes.token ?? (await signed),
      authority: trusted,
      capsuleId: toHex(capsule.capsuleId),
      nowMs: changes.nowMs ?? nowMs,
      expected: { code: expected },
    }
  }
  const { jti: _jti, ...withoutId } = claims
  return await all({
    good: make('A challenge in time.', 'ok'),
    expired: make('Its end has come.', 'CHALLENGE_EXPIRED', { nowMs: nowMs + 600_000 }),
    'not-yet-valid': make('The clock is more than 300 s behind.', 'CHALLENGE_NOT_YET_VALID', {
      nowMs: nowMs - 301_000,
    }),
    'signer-unknown': make('Another key signed.', 'CHALLENGE_SIGNER_UNKNOWN', {
      signer: pair('foreign authority'),
    }),
    'issuer-not-signer': make('iss is trusted, but another key signed.', 'CHALLENGE_SIGNER_UNKNOWN', {
      signer: pair('foreign authority'),
      payload: { iss: toBase64Url(authority.publicKey) },
    }),
    'other-capsule': make('It is for another capsule.', 'CHALLENGE_CAPSULE_MISMATCH', {
      payload: { capsuleId: toBase64Url(seeded('other capsule')) },
    }),
    'other-type': make('The token is of another type.', 'JWS_TYPE_MISMATCH', { typ: requestTyp }),
    'signature-changed': make('The signature was changed.', 'JWS_SIGNATURE_INVALID', {
      token: challenge.token.replace(/.{4}$/, 'AAAA'),
    }),
    'unknown-member': make('A member is unknown.', 'CHALLENGE_MALFORMED', { payload: { note: 1 } }),
    'lifetime-too-long': make('It lives longer than 31 days.', 'CHALLENGE_MALFORMED', {
      payload: { exp: claims.iat + 2_678_401 },
    }),
    'nonce-short': make('The nonce has 31 bytes.', 'CHALLENGE_MALFORMED', {
      payload: { nonce: 'A'.repeat(42) },
    }),
    'member-missing': make('jti is missing.', 'CHALLENGE_MALFORMED', {
      token: await signJws({ typ: challengeTyp, ...authority, payload: withoutId }),
    }),
  })
}

async function requestCases(world: World): Promise<Record<string, VectorCase>> {
  const { capsule, challenge, customer, trusted, pair } = world
  const good = await world.answer(challenge)
  const expectedReportData = toHex(activationReportData(challenge, world.enclave))
  const make = async (
    clause: string,
    reason: string,
    expected: object,
    changes: {
      payload?: object
      signer?: SigningKeyPair
      policy?: object
      nowMs?: number
      answered?: string
      headerHash?: Uint8Array
    } = {},
  ): Promise<VectorCase> => {
    const payload = { ...payloadOf(good), ...changes.payload }
    return {
      clause,
      reason,
      token: await signJws({ typ: requestTyp, ...(changes.signer ?? customer), payload }),
      authority: trusted,
      challenge: challenge.claims,
      answeredRequestHash: changes.answered ?? null,
      capsule: {
        capsuleId: toHex(capsule.capsuleId),
        headerHash: toHex(changes.headerHash ?? capsule.headerHash),
        minimumTier: capsule.minimumTier,
      },
      policy: { ...policyJson, ...changes.policy },
      roots: 'any',
      nowMs: changes.nowMs ?? nowMs,
      expected,
    }
  }
  const refused = (code: string) => ({ verify: 'ok', decision: 'refused', reasons: [code] })
  const mismatch = refused('ATTESTATION_REPORT_DATA_MISMATCH')
  const key = toBase64Url(seeded('another key'))
  return await all({
    good: make('3', 'A request in time.', {
      verify: 'ok',
      decision: 'accepted',
      reportData: expectedReportData,
    }),
    repeated: make(
      '3.2',
      'The same bytes were answered before, and it is late.',
      { verify: 'ok', decision: 'repeated' },
      {
        answered: toHex(tokenHash(good)),
        nowMs: nowMs + 9_000_000,
      },
    ),
    replayed: make('3.2', 'Other bytes were answered before.', refused('ACTIVATION_REPLAYED'), {
      answered: toHex(seeded('another request')),
    }),
    expired: make('3.3', 'The challenge has ended.', refused('CHALLENGE_EXPIRED'), {
      nowMs: nowMs + 600_000,
    }),
    'other-customer': make(
      '3.1',
      'Another customer signed.',
      { verify: 'ACTIVATION_BINDING_MISMATCH' },
      {
        signer: pair('thief'),
      },
    ),
    'other-header': make('3.4', 'The enclave holds another header.', refused('ACTIVATION_BINDING_MISMATCH'), {
      headerHash: seeded('another header'),
    }),
    'other-release-key': make('3.5', 'The release key was exchanged.', mismatch, {
      payload: { releaseKey: key },
    }),
    'other-identity': make('3.5', 'The identity was exchanged.', mismatch, { payload: { identity: key } }),
    'other-anchor': make('3.5', 'The anchor was exchanged.', mismatch, { payload: { anchor: key } }),
    'other-manifest': make('3.5', 'The manifest was exchanged.', mismatch, {
      payload: { manifest: { ...manifest, plugins: [] } },
    }),
    'measurement-unknown': make(
      '3.6',
      'The policy knows another build.',
      refused('ATTESTATION_MEASUREMENT_UNKNOWN'),
      {
        policy: { manifests: [{ sha384: '00'.repeat(48) }] },
      },
    ),
    production: make('3.6', 'The policy takes no simulated root.', refused('POLICY_SIMULATED_ROOT_REFUSED'), {
      policy: { allowUnattested: [] },
    }),
    'unknown-member': make(
      '3.1',
      'A member is unknown.',
      { verify: 'ACTIVATION_REQUEST_MALFORMED' },
      {
        payload: { note: 1 },
      },
    ),
    'without-challenge': make(
      '3.1',
      'There is no challenge.',
      { verify: 'JWS_MALFORMED' },
      {
        payload: { challenge: '' },
      },
    ),
  })
}

async function responseCases(world: World): Promise<Record<string, VectorCase>> {
  const { authority, challenge, release, trusted, pair } = world
  const reportData = activationReportData(challenge, world.enclave)
  const keys = {
    contentKey: seeded('content key'),
    defenseSeed: seeded('defense seed'),
    stateKey: seeded('state key'),
  }
  const plaintext = Buffer.concat([
    Buffer.from('a3015820', 'hex'),
    keys.contentKey,
    Buffer.from('025820', 'hex'),
    keys.defenseSeed,
    Buffer.from('035820', 'hex'),
    keys.stateKey,
  ])
  const seal = (info: Uint8Array, bytes: Uint8Array = plaintext) => {
    const { enc, ciphertext } = sealWithEphemeral(seeded('ephemeral'), release.publicKey, info, bytes)
    return { enc: toBase64Url(enc), ct: toBase64Url(ciphertext) }
  }
  const info = releaseInfo(reportData, license)
  const base = {
    iss: toBase64Url(authority.publicKey),
    jti: challenge.claims.jti,
    licenseHash: toBase64Url(tokenHash(license)),
    ...seal(info),
    license,
  }
  const make = async (
    clause: string,
    reason: string,
    expected: object,
    changes: { payload?: object; signer?: SigningKeyPair } = {},
  ): Promise<VectorCase> => {
    const payload = { ...base, ...changes.payload }
    return {
      clause,
      reason,
      token: await signJws({ typ: responseTyp, ...(changes.signer ?? authority), payload }),
      authority: trusted,
      challenge: challenge.token,
      reportData: toHex(reportData),
      releasePrivateKey: toHex(expose(release.privateKey, 'x25519-private')),
      expected,
    }
  }
  const shown = Object.fromEntries(Object.entries(keys).map(([name, value]) => [name, toHex(value)]))
  const otherLicense = 'b3RoZXI.b3RoZXI.b3RoZXI'
  return await all({
    good: make('4', 'The three keys arrive.', { verify: 'ok', open: 'ok', keys: shown }),
    'signer-unknown': make(
      '5',
      'Another key signed.',
      { verify: 'ACTIVATION_SIGNER_UNKNOWN' },
      {
        signer: pair('foreign authority'),
      },
    ),
    'other-challenge': make(
      '5',
      'It answers another challenge.',
      { verify: 'ACTIVATION_BINDING_MISMATCH' },
      {
        payload: { jti: 'A'.repeat(22) },
      },
    ),
    'license-exchanged': make(
      '5',
      'The license is not the one whose hash is signed.',
      {
        verify: 'ACTIVATION_BINDING_MISMATCH',
      },
      { payload: { license: otherLicense } },
    ),
    'license-not-bound': make(
      '4',
      'The keys were sealed for another license.',
      {
        verify: 'ok',
        open: 'SEAL_OPEN_FAILED',
      },
      { payload: { license: otherLicense, licenseHash: toBase64Url(tokenHash(otherLicense)) } },
    ),
    'report-data-not-bound': make(
      '4',
      'The keys were sealed for other report data.',
      {
        verify: 'ok',
        open: 'SEAL_OPEN_FAILED',
      },
      { payload: seal(releaseInfo(new Uint8Array(64), license)) },
    ),
    'key-missing': make(
      '4',
      'The third key is missing.',
      { verify: 'ok', open: 'ACTIVATION_RELEASE_INVALID' },
      {
        payload: seal(info, Buffer.concat([Buffer.of(0xa2), plaintext.subarray(1, 71)])),
      },
    ),
    'plaintext-text': make(
      '4',
      'The plaintext is no CBOR map.',
      { verify: 'ok', open: 'ACTIVATION_RELEASE_INVALID' },
      {
        payload: seal(info, utf8Bytes('keys')),
      },
    ),
    'enc-short': make(
      '5',
      'enc has 31 bytes.',
      { verify: 'ACTIVATION_RESPONSE_MALFORMED' },
      {
        payload: { enc: 'A'.repeat(42) },
      },
    ),
  })
}

async function all(cases: Record<string, Promise<VectorCase>>): Promise<Record<string, VectorCase>> {
  const made = await Promise.all(Object.entries(cases).map(async ([name, it]) => [name, await it] as const))
  return Object.fromEntries(made)
}

export async function activationVectors(): Promise<Map<string, string>> {
  const world = await createWorld()
  return new Map([
    ...vectorFiles('challenge', await challengeCases(world)),
    ...vectorFiles('request', await requestCases(world)),
    ...vectorFiles('response', await responseCases(world)),
  ])
}
