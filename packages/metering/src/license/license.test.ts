// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url, generateSigningKeyPair, signJws, toBase64Url } from '@mlcapsule/crypto'
import { seeded } from '@mlcapsule/crypto/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { createWorld, nowSeconds, type World } from '../../test/world.ts'
import {
  assertLicenseBinding,
  assertLicenseTime,
  issueLicense,
  licenseTyp,
  verifyLicense,
} from './license.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})

const code = (code: string, field?: string) =>
  expect.objectContaining(field === undefined ? { code } : { code, field })

describe('license', () => {
  test('is read back by whoever has the key', async () => {
    expect(await verifyLicense(world.license.token, [world.authority.publicKey])).toEqual(world.license)
    expect(world.license.claims).toMatchObject({ sub: 'customer-1', grant: { seq: 1, units: 100 } })
    expect(world.license.identityKey).toEqual(world.identity.publicKey)
  })

  test('of another signer is refused', async () => {
    const foreign = generateSigningKeyPair(seeded('foreign'))
    await expect(verifyLicense(world.license.token, [foreign.publicKey])).rejects.toThrow(
      code('LICENSE_SIGNER_UNKNOWN'),
    )
    const { token } = await issueLicense({ authority: foreign, claims: world.claims })
    await expect(verifyLicense(token, [world.authority.publicKey])).rejects.toThrow(
      code('LICENSE_SIGNER_UNKNOWN'),
    )
  })

  test('whose iss is not the signer is refused', async () => {
    const payload = { ...world.license.claims, iss: toBase64Url(seeded('other')) }
    const token = await signJws({ typ: licenseTyp, ...world.authority, payload })
    await expect(verifyLicense(token, [world.authority.publicKey])).rejects.toThrow(
      code('LICENSE_MALFORMED', 'license.iss'),
    )
  })

  test.each([
    ['license.exp', { exp: nowSeconds }],
    ['license.versions.max', { versions: { min: 2, max: 1 } }],
    ['license.tariff.blocked', { tariff: { unit: 2, blocked: 1, surchargeMax: 0 } }],
    ['license.blockMax', { blockMax: 2, tariff: { unit: 2, blocked: 2, surchargeMax: 1 } }],
    ['license.ledger', { ledger: toBase64Url(seeded('ledger')) }],
    ['license.grant.units', { grant: { seq: 1, units: 0 } }],
    ['license.statementEvery', { statementEvery: 999 }],
    ['license.tier', { tier: 'best' }],
    ['license.manifest', { manifest: 'AB'.repeat(48) }],
    ['license.anchor', { anchor: '' }],
    ['license.defenses', { defenses: Array(9).fill({ name: 'rounding', version: 1 }) }],
    ['license', { note: 1 }],
    ['license.sub', { sub: 'two words' }],
  ])('refuses a wrong %s', async (field, change) => {
    const payload = { ...world.license.claims, ...change }
    const token = await signJws({ typ: licenseTyp, ...world.authority, payload })
    await expect(verifyLicense(token, [world.authority.publicKey])).rejects.toThrow(
      code('LICENSE_MALFORMED', field),
    )
  })

  test('without any of its claims is refused', async () => {
    for (const name of Object.keys(world.license.claims)) {
      const payload: Record<string, unknown> = { ...world.license.claims }
      delete payload[name]
      const token = await signJws({ typ: licenseTyp, ...world.authority, payload })
      await expect(verifyLicense(token, [world.authority.publicKey]), name).rejects.toThrow(
        code('LICENSE_MALFORMED', `license.${name}`),
      )
    }
  })
})

describe('assertLicenseTime', () => {
  const { iat } = { iat: nowSeconds }
  test.each([
    ['at its start', { nbf: iat, exp: iat + 10 }, iat, 0, undefined],
    ['in its last second', { nbf: iat, exp: iat + 10 }, iat + 9, 0, undefined],
    ['at its end', { nbf: iat, exp: iat + 10 }, iat + 10, 0, 'LICENSE_EXPIRED'],
    ['before its start', { nbf: iat + 1000, exp: iat + 2000 }, iat, 0, 'LICENSE_NOT_YET_VALID'],
    ['by a clock that shows no time', { nbf: iat, exp: iat + 10 }, Number.NaN, 0, 'LICENSE_CLOCK_SET_BACK'],
    ['by a clock set back', { nbf: iat, exp: iat + 10 }, iat - 301, 0, 'LICENSE_CLOCK_SET_BACK'],
    [
      'by a clock set back behind a proven time',
      { nbf: iat, exp: iat + 9000 },
      iat,
      iat + 301,
      'LICENSE_CLOCK_SET_BACK',
    ],
    ['when a proven time is past its end', { nbf: iat, exp: iat + 10 }, iat, iat + 20, 'LICENSE_EXPIRED'],
  ])('%s', (_when, times, now, floorSeconds, expected) => {
    const check = () =>
      assertLicenseTime({ ...world.license.claims, ...times }, { nowMs: now * 1000, floorSeconds })
    if (expected === undefined) expect(check).not.toThrow()
    else expect(check).toThrow(code(expected))
  })
})

describe('assertLicenseBinding', () => {
  const binding = () => ({
    identityKey: world.identity.publicKey,
    anchorDescriptor: fromBase64Url(world.claims.anchor),
    manifestSha384: new Uint8Array(48).fill(0x11),
    modelId: 'digits',
    modelVersion: 2,
  })
  test('fits its enclave and capsule', () => {
    expect(() => assertLicenseBinding(world.license.claims, binding())).not.toThrow()
  })
  test.each([
    ['license.cnf', { identityKey: seeded('other') }],
    ['license.anchor', { anchorDescriptor: seeded('other') }],
    ['license.manifest', { manifestSha384: new Uint8Array(48) }],
    ['license.model', { modelId: 'letters' }],
    ['license.versions', { modelVersion: 4 }],
    ['license.versions', { modelVersion: 0 }],
  ])('names %s where it differs', (field, change) => {
    expect(() => assertLicenseBinding(world.license.claims, { ...binding(), ...change })).toThrow(
      code('LICENSE_BINDING_MISMATCH', field),
    )
  })
  test('respects the floor of versions', () => {
    const claims = { ...world.license.claims, floors: { version: 3, revocation: 0 } }
    expect(() => assertLicenseBinding(claims, binding())).toThrow(
      code('LICENSE_BINDING_MISMATCH', 'license.floors.version'),
    )
  })
})
