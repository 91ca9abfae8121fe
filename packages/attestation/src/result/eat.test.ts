// SPDX-License-Identifier: Apache-2.0
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  signJws,
  toBase64Url,
} from '@mlcapsule/crypto'
import { codeOf, payloadOf, seeded } from '@mlcapsule/crypto/testing'
import { importJWK, jwtVerify } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { expectChangesRefused } from '../../test/changed-token.ts'
import { nowMs } from '../../test/world.ts'
import type { AcceptedAttestation, RefusedAttestation } from '../appraise/result.ts'
import {
  eatProfile,
  eatTyp,
  measuredRegisters,
  requireAcceptedResult,
  type SignResultInput,
  signResult,
  verifyResult,
} from './eat.ts'

const nonce = seeded('relying party nonce')
const passed = { status: 'passed', found: 'serial 4711', expected: 'x', code: null } as const
const accepted: AcceptedAttestation = {
  status: 'accepted',
  policy: 'production',
  platform: 'tdx',
  tier: 'tdx',
  measurement: { mrTd: 'ab'.repeat(48), rtmr0: 'cd'.repeat(48) },
  entry: 'vm',
  unattested: false,
  manifestSha384: 'ab'.repeat(48),
  tcbStatus: 'UpToDate',
  checks: [
    { ...passed, field: 'debug' },
    { ...passed, field: 'platforms.tdx.mrOwner', status: 'unchecked', expected: 'any' },
  ],
}
const refused: RefusedAttestation = {
  status: 'refused',
  policy: 'production',
  platform: 'tdx',
  tier: 'tdx',
  measurement: {},
  reasons: [{ code: 'ATTESTATION_DEBUG_ENABLED', detail: 'debug: found true' }],
  checks: [{ ...passed, field: 'debug', status: 'failed', code: 'ATTESTATION_DEBUG_ENABLED' }],
}

let issuer: SigningKeyPair
let issuers: string[]
beforeAll(async () => {
  await cryptoReady()
  issuer = generateSigningKeyPair(seeded('verifier'))
  issuers = [keyThumbprint(issuer.publicKey)]
})

const sign = (changes: Partial<SignResultInput> = {}) =>
  signResult({ result: accepted, issuer, nonce, nowMs, lifetimeSeconds: 600, ...changes })
const verify = (token: string, changes: object = {}) =>
  verifyResult(token, { issuers, nonce, nowMs, ...changes })
const forge = async (changes: object) => {
  const payload = { ...payloadOf(await sign()), ...changes }
  return await signJws({ ...issuer, typ: eatTyp, payload })
}

describe('an attestation result as EAT', () => {
  test('says by claims of RFC 9711 what was checked, and by no claim that it is secure', async () => {
    const { claims, issuer: signer } = await verify(await sign({ intendedUse: 'provisioning' }))
    expect(signer).toBe(issuers[0])
    expect(claims).toEqual({
      iss: toBase64Url(issuer.publicKey),
      iat: nowMs / 1000,
      exp: nowMs / 1000 + 600,
      eat_profile: eatProfile,
      eat_nonce: toBase64Url(nonce),
      intuse: 'provisioning',
      dbgstat: 'disabled',
      measurements: [[50, JSON.stringify(accepted.measurement)]],
      measres: [
        [
          'production',
          [
            ['debug', 'success'],
            ['platforms.tdx.mrOwner', 'not-run'],
          ],
        ],
      ],
      mlc_verdict: 'accepted',
      mlc_platform: 'tdx',
      mlc_tier: 'tdx',
      mlc_reasons: [],
      mlc_entry: 'vm',
      mlc_manifest: 'ab'.repeat(48),
      mlc_tcb_status: 'UpToDate',
      mlc_unattested: false,
    })
    expect(requireAcceptedResult({ claims, issuer: signer })).toBe(claims)
    expect(measuredRegisters(claims)).toEqual(accepted.measurement)
  })

  test('names no registers where the platform has none that say what runs', async () => {
    const { claims } = await verify(await sign({ result: { ...accepted, measurement: {} } }))
    expect(claims).not.toHaveProperty('measurements')
    expect(measuredRegisters(claims)).toEqual({})
  })

  test.each([
    ['no JSON', 'mrTd'],
    ['no registers', '["ab"]'],
    ['a register in upper case', '{"mrTd":"AB"}'],
    ['a register twice', '{"mrTd":"ab","mrTd":"cd"}'],
    ['white space', '{ "mrTd":"ab"}'],
  ])('refuses a measurement that is %s', async (_what, text) => {
    const forged = await forge({ measurements: [[50, text]] })
    expect(await codeOf(() => verify(forged))).toBe('ATTESTATION_RESULT_INVALID')
  })

  test('is a JWT that another library verifies', async () => {
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: toBase64Url(issuer.publicKey) }, 'EdDSA')
    const { payload, protectedHeader } = await jwtVerify(await sign(), key, {
      algorithms: ['EdDSA'],
      typ: eatTyp,
      issuer: toBase64Url(issuer.publicKey),
      currentDate: new Date(nowMs),
      requiredClaims: ['eat_nonce', 'eat_profile', 'exp'],
    })
    expect(protectedHeader).toEqual({ alg: 'EdDSA', typ: 'eat+jwt', kid: issuers[0] })
    expect(payload.eat_nonce).toBe(toBase64Url(nonce))
  })

  test('#11 a refusal is no acceptance', async () => {
    const verified = await verify(await sign({ result: refused }))
    expect(verified.claims).toMatchObject({
      mlc_verdict: 'refused',
      dbgstat: 'enabled',
      mlc_reasons: ['ATTESTATION_DEBUG_ENABLED'],
      measres: [['production', [['debug', 'fail']]]],
      mlc_manifest: null,
    })
    expect(await codeOf(() => requireAcceptedResult(verified))).toBe('ATTESTATION_RESULT_INVALID')
  })

  test('#79 it does not hold what was found', async () => {
    expect(JSON.stringify(payloadOf(await sign()))).not.toContain('4711')
  })

  test('another issuer is refused', async () => {
    const other = generateSigningKeyPair(seeded('another verifier'))
    const code = 'ATTESTATION_RESULT_INVALID'
    expect(await codeOf(async () => verify(await sign({ issuer: other })))).toBe(code)
    expect(await codeOf(async () => verify(await sign(), { issuers: [] }))).toBe(code)
  })

  test('#12 #67 a nonce that is another, shorter, longer or empty is refused', async () => {
    const token = await sign()
    const longer = Uint8Array.of(...nonce, 0)
    for (const it of [
      seeded('another nonce'),
      nonce.subarray(1),
      longer,
      nonce.subarray(0, 8),
      new Uint8Array(),
    ]) {
      expect(await codeOf(() => verify(token, { nonce: it }))).toBe('ATTESTATION_RESULT_INVALID')
    }
    expect(await codeOf(() => sign({ nonce: new Uint8Array() }))).toBe('ATTESTATION_RESULT_INVALID')
    expect(await codeOf(() => sign({ nonce: new Uint8Array(65) }))).toBe('ATTESTATION_RESULT_INVALID')
  })

  test('#74 it ends: from its first second on, until its last', async () => {
    const token = await sign()
    const at = (time: number) => codeOf(() => verify(token, { nowMs: time }))
    expect(await at(nowMs + 599_999)).toBe('ok')
    expect(await at(nowMs + 600_000)).toBe('ATTESTATION_RESULT_EXPIRED')
    expect(await at(nowMs - 3_600_000)).toBe('ATTESTATION_RESULT_EXPIRED')
    for (const lifetimeSeconds of [0, -1, 0.5, 86_401, Number.NaN]) {
      expect(await codeOf(() => sign({ lifetimeSeconds }))).toBe('ATTESTATION_RESULT_INVALID')
    }
  })

  test.each<[string, object]>([
    ['an unknown claim', { secure: true }],
    ['another profile', { eat_profile: 'urn:mlcapsule:eat:attestation-result:2' }],
    ['an unknown word for debug', { dbgstat: 'off' }],
    ['an unknown verdict', { mlc_verdict: 'ok' }],
    ['no checks', { measres: [['production', []]] }],
    ['a result that lasts too long', { exp: nowMs / 1000 + 86_401 }],
    ['a result that ends before it begins', { exp: nowMs / 1000 - 1 }],
    ['an acceptance with a check that failed', { measres: [['production', [['debug', 'fail']]]] }],
    ['an acceptance with a check that is absent', { measres: [['production', [['debug', 'absent']]]] }],
    ['an acceptance with debug on', { dbgstat: 'enabled' }],
    ['an acceptance with reasons', { mlc_reasons: ['ATTESTATION_TCB_REFUSED'] }],
    ['a refusal without reasons', { mlc_verdict: 'refused' }],
  ])('#10 refuses %s, also from a trusted issuer', async (_what, changes) => {
    expect(await codeOf(async () => verify(await forge(changes)))).toBe('ATTESTATION_RESULT_INVALID')
  })

  test('the unchanged forgery verifies, so that each change is what was refused', async () => {
    expect(await codeOf(async () => verify(await forge({})))).toBe('ok')
  })

  test('a token that is changed anywhere is refused with a code', async () => {
    await expectChangesRefused(await sign(), (changed) => verify(changed))
  })
})
