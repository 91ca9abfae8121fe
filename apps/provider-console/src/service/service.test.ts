// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifestDigest } from '@mlcapsule/attestation'
import { CapsuleKeys, openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  toBase64Url,
  toHex,
} from '@mlcapsule/crypto'
import { ledgerIdOf, verifyLicense } from '@mlcapsule/metering'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFakeEnclave, type FakeEnclave, testManifest } from '../../test-support/fake-enclave.ts'
import { devPolicy, makePackedStore, opaqueModel, type PackedStore } from '../../test-support/packed-store.ts'
import { sharedTempDir, tempDir } from '../../test-support/temp-dir.ts'
import { type PackOptions, packCapsule } from '../pack/pack-capsule.ts'
import { unaccountedGrantUnits } from './grants.ts'
import { openProvider, type Provider } from './provider.ts'

const code = (name: string) => expect.objectContaining({ code: name })
const dir = sharedTempDir()
let store: PackedStore
let provider: Provider
let nowMs = Date.UTC(2026, 0, 1)

beforeAll(async () => {
  await cryptoReady()
  store = await makePackedStore(dir.path)
  provider = await openProvider({ storeDir: store.storeDir, now: () => nowMs })
})
afterAll(async () => {
  await provider.close()
  dir.remove()
})

let customer: SigningKeyPair
let enclave: FakeEnclave
beforeEach(async () => {
  customer = generateSigningKeyPair()
  enclave = await newEnclave()
})

const newEnclave = (manifest = testManifest) =>
  createFakeEnclave({ customer, headerHash: store.headerHash, authorityKey: store.authorityKey, manifest })

function order(overrides: object = {}) {
  return provider.createOrder({
    capsuleId: store.capsuleId,
    customerKey: toBase64Url(customer.publicKey),
    units: 1000,
    policy: devPolicy,
    ...overrides,
  })
}

async function challenge(): Promise<string> {
  const wanted = { capsuleId: store.capsuleId, customer: keyThumbprint(customer.publicKey) }
  return (await provider.issueChallenge(wanted)).challenge
}

const activate = (request: string) => provider.activate({ request })
const granted = async () =>
  (await provider.listOrders()).find((it) => it.customer === keyThumbprint(customer.publicKey))

describe('activation', () => {
  test('an accepted enclave gets the key that opens the capsule, and a license bound to itself', async () => {
    await order({ terms: { blockMax: 5 } })
    const token = await challenge()
    const { response } = await activate(await enclave.request(token))
    const { keys, license } = await enclave.open(token, response)

    const source = await fileSource(store.capsulePath)
    const capsule = await openCapsule(source, { publishers: [store.packed.header.publisher.publicKey] })
    expect(() => CapsuleKeys.derive(keys.contentKey, capsule.header)).not.toThrow()
    await source.close?.()

    const { claims } = await verifyLicense(license, [store.authorityKey])
    expect(claims).toMatchObject({
      sub: keyThumbprint(customer.publicKey),
      model: 'digits',
      versions: { min: 3, max: 3 },
      ledger: toBase64Url(ledgerIdOf(enclave.identity.publicKey)),
      tier: 'none',
      manifest: toHex(manifestDigest(testManifest)),
      grant: { seq: 1, units: 1000 },
      blockMax: 5,
      defenses: [{ name: 'rounding', version: 1 }],
    })
    expect(await granted()).toMatchObject({ unitsGranted: 1000, grantCount: 1 })
  })

  test('the same request gets the same response, also after the challenge has expired', async () => {
    await order()
    const request = await enclave.request(await challenge())
    const first = await activate(request)
    expect(await activate(request)).toEqual(first)
    nowMs += 3_600_000
    expect(await activate(request)).toEqual(first)
    expect(await granted()).toMatchObject({ grantCount: 1 })
  })

  test('another request for the same challenge is refused as a replay', async () => {
    await order({ terms: { grantUnits: 100 } })
    const token = await challenge()
    await activate(await enclave.request(token))
    const other = await newEnclave()
    await expect(activate(await other.request(token))).rejects.toThrow(code('ACTIVATION_REPLAYED'))
    expect(await granted()).toMatchObject({ unitsGranted: 100, grantCount: 1 })
  })

  test('of requests that come at once for one challenge, one is answered', async () => {
    await order({ terms: { grantUnits: 100 } })
    const token = await challenge()
    const enclaves = await Promise.all([newEnclave(), newEnclave(), newEnclave()])
    const requests = await Promise.all(enclaves.map((it) => it.request(token)))
    const outcomes = await Promise.allSettled(requests.map(activate))
    expect(outcomes.filter((it) => it.status === 'fulfilled')).toHaveLength(1)
    for (const it of outcomes)
      if (it.status === 'rejected') expect(it.reason).toEqual(code('ACTIVATION_REPLAYED'))
    expect(await granted()).toMatchObject({ unitsGranted: 100, grantCount: 1 })
  })

  test('an expired challenge is refused', async () => {
    await order()
    const request = await enclave.request(await challenge())
    nowMs += 601_000
    await expect(activate(request)).rejects.toThrow(code('CHALLENGE_EXPIRED'))
  })

  test('an unknown measurement is refused each time, and changes nothing', async () => {
    await order({ policy: { ...devPolicy, manifests: [{ sha384: '00'.repeat(48) }] } })
    const request = await enclave.request(await challenge())
    await expect(activate(request)).rejects.toThrow(code('ATTESTATION_MEASUREMENT_UNKNOWN'))
    await expect(activate(request)).rejects.toThrow(code('ATTESTATION_MEASUREMENT_UNKNOWN'))
    expect(await granted()).toMatchObject({ unitsGranted: 0, grantCount: 0 })
  })

  test('a policy that names no unattested entry refuses the simulated platform', async () => {
    await order({ policy: { ...devPolicy, allowUnattested: [] } })
    const request = await enclave.request(await challenge())
    await expect(activate(request)).rejects.toThrow(code('POLICY_SIMULATED_ROOT_REFUSED'))
  })

  test('evidence for another header is refused', async () => {
    await order()
    const request = await enclave.request(await challenge(), { headerHash: new Uint8Array(32) })
    await expect(activate(request)).rejects.toThrow(code('ACTIVATION_BINDING_MISMATCH'))
  })

  test('a request that another customer signed is refused', async () => {
    await order()
    const request = await enclave.request(await challenge(), { customer: generateSigningKeyPair() })
    await expect(activate(request)).rejects.toThrow(code('ACTIVATION_BINDING_MISMATCH'))
  })

  test('an enclave identity has one license', async () => {
    await order({ terms: { grantUnits: 100 } })
    await activate(await enclave.request(await challenge()))
    await expect(activate(await enclave.request(await challenge()))).rejects.toThrow(
      code('ACTIVATION_BINDING_MISMATCH'),
    )
  })

  test('grants never exceed the order, and are small while an earlier enclave has not reported', async () => {
    await order({ units: 500, terms: { grantUnits: 350 } })
    const units: number[] = []
    for (let i = 0; i < 3; i++) {
      const next = await newEnclave()
      const token = await challenge()
      const { license } = await next.open(token, (await activate(await next.request(token))).response)
      units.push((await verifyLicense(license, [store.authorityKey])).claims.grant.units)
    }
    expect(units).toEqual([350, unaccountedGrantUnits, 50])
    await expect(challenge()).rejects.toThrow(code('PROVIDER_ORDER_SPENT'))
    expect(await granted()).toMatchObject({ unitsGranted: 500, grantCount: 3 })
  })

  test('a challenge that was open when the order was spent gives nothing more', async () => {
    await order({ units: 10 })
    const tokens = [await challenge(), await challenge()] as const
    await activate(await enclave.request(tokens[0]))
    const other = await newEnclave()
    await expect(activate(await other.request(tokens[1]))).rejects.toThrow(code('PROVIDER_ORDER_SPENT'))
  })

  test.each([
    ['nothing', {}],
    ['a number', { request: 1 }],
    ['an empty token', { request: '' }],
    ['more than a token', { request: 'a', more: 1 }],
    ['null', null],
  ])('%s is not a request', async (_, input) => {
    await expect(provider.activate(input)).rejects.toThrow(code('PROVIDER_REQUEST_INVALID'))
  })

  test.each(['a', 'a.b.c', '..', 'eyJhbGciOiJub25lIn0.e30.'])('token %j is refused', async (request) => {
    await expect(activate(request)).rejects.toMatchObject({
      code: expect.stringMatching(/^(JWS|CHALLENGE)_/),
    })
  })
})

describe('orders and challenges', () => {
  test('nobody is challenged without an order', async () => {
    await expect(challenge()).rejects.toThrow(code('PROVIDER_ORDER_UNKNOWN'))
  })

  test('an order for an unknown capsule is refused', async () => {
    await expect(order({ capsuleId: 'A'.repeat(43) })).rejects.toThrow(code('PROVIDER_CAPSULE_UNKNOWN'))
  })

  test('an order ends', async () => {
    await order({ openForDays: 1 })
    await challenge()
    nowMs += 86_400_001
    await expect(challenge()).rejects.toThrow(code('PROVIDER_ORDER_SPENT'))
  })

  test.each([
    ['no units', { units: 0 }, 'PROVIDER_REQUEST_INVALID'],
    ['half a unit', { units: 0.5 }, 'PROVIDER_REQUEST_INVALID'],
    ['a key of another size', { customerKey: 'abc' }, 'PROVIDER_REQUEST_INVALID'],
    ['a term that is not there', { terms: { free: 1 } }, 'PROVIDER_REQUEST_INVALID'],
    ['a policy with a field missing', { policy: { version: 1 } }, 'POLICY_FIELD_MISSING'],
    ['a policy with a field too many', { policy: { ...devPolicy, more: 1 } }, 'POLICY_INVALID'],
  ])('%s is refused', async (_, overrides, expected) => {
    await expect(order(overrides)).rejects.toThrow(code(expected))
  })
})

describe('packing', () => {
  test('what licenses name of the defenses is what was packed', async () => {
    expect(await provider.listCapsules()).toEqual([
      expect.objectContaining({ capsuleId: store.capsuleId, modelId: 'digits', modelVersion: 3 }),
    ])
  })

  const pack = (outPath: string, to: Provider, overrides: Partial<PackOptions> = {}) =>
    packCapsule(to, {
      model: opaqueModel,
      outPath,
      storeDir: store.storeDir,
      name: 'X',
      version: 1,
      defenses: [],
      minimumTier: 'simulated',
      ...overrides,
    })

  test('a capsule whose key does not get into the store leaves no file, and the one that was there', async () => {
    const folder = tempDir()
    const failing: Provider = { ...provider, registerCapsule: () => Promise.reject(new Error('no room')) }
    await expect(pack(join(folder, 'x.capsule'), failing)).rejects.toThrow('no room')
    expect(readdirSync(folder)).toEqual([])
    writeFileSync(join(folder, 'x.capsule'), 'old')
    await expect(pack(join(folder, 'x.capsule'), failing, { overwrite: true })).rejects.toThrow('no room')
    expect(readFileSync(join(folder, 'x.capsule'), 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['x.capsule'])
  })

  test('a capsule is not to be seen before its key is in the store', async () => {
    const folder = tempDir()
    let seen: readonly string[] = []
    const looking: Provider = {
      ...provider,
      registerCapsule: (input) => {
        seen = readdirSync(folder)
        return provider.registerCapsule(input)
      },
    }
    await pack(join(folder, 'x.capsule'), looking)
    expect(seen).toEqual([expect.stringMatching(/^\.mlcapsule-.*\.tmp$/)])
    expect(readdirSync(folder)).toEqual(['x.capsule'])
  })

  test('told to stop, it leaves neither file nor key', async () => {
    const folder = tempDir()
    const before = await provider.listCapsules()
    const stop = new AbortController()
    const model: PackOptions['model'] = {
      ...opaqueModel,
      weights: {
        ...opaqueModel.weights,
        async *chunks() {
          for await (const chunk of opaqueModel.weights.chunks()) {
            yield chunk
            stop.abort()
          }
        },
      },
    }
    const packing = pack(join(folder, 'x.capsule'), provider, { model, signal: stop.signal })
    await expect(packing).rejects.toThrow(code('CAPSULE_WRITE_FAILED'))
    expect(readdirSync(folder)).toEqual([])
    expect(await provider.listCapsules()).toEqual(before)
  })

  test('a version that no license can name is refused, and leaves no file', async () => {
    const folder = tempDir()
    await expect(pack(join(folder, 'x.capsule'), provider, { version: 2 ** 31 })).rejects.toMatchObject({
      code: 'PROVIDER_REQUEST_INVALID',
      field: 'prefix',
    })
    expect(readdirSync(folder)).toEqual([])
    await pack(join(folder, 'x.capsule'), provider, { version: 2 ** 31 - 1 })
    expect(await provider.listCapsules()).toContainEqual(
      expect.objectContaining({ modelVersion: 2 ** 31 - 1 }),
    )
  })

  test('a capsule is registered once', async () => {
    let input: unknown
    const keeping: Provider = {
      ...provider,
      registerCapsule: (given) => {
        input = given
        return provider.registerCapsule(given)
      },
    }
    await pack(join(tempDir(), 'x.capsule'), keeping)
    const before = await provider.listCapsules()
    await expect(provider.registerCapsule(input)).rejects.toThrow(code('PROVIDER_CAPSULE_EXISTS'))
    expect(await provider.listCapsules()).toEqual(before)
  })

  test('a key that is sealed for another capsule is not registered', async () => {
    const source = await fileSource(store.capsulePath)
    const { prefix } = await openCapsule(source, { publishers: 'any-unverified-publisher' })
    await source.close?.()
    const sealedContentKey = toBase64Url(new Uint8Array(60))
    const input = { prefix: toBase64Url(prefix), sealedContentKey, defenses: [] }
    await expect(provider.registerCapsule(input)).rejects.toThrow(code('SEAL_OPEN_FAILED'))
    await expect(provider.registerCapsule({ ...input, prefix: 'AAAA' })).rejects.toThrow(
      code('CAPSULE_BAD_MAGIC'),
    )
  })
})
