// SPDX-License-Identifier: Apache-2.0
import {
  type EvidenceVerifier,
  manifestDigest,
  platformRule,
  requireCollateral,
  signReference,
} from '@mlcapsule/attestation'
import { collateralCache } from '@mlcapsule/attestation/node'
import { simulatedTrustStore, simulatedVerifier } from '@mlcapsule/attestation/simulated'
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  toBase64Url,
  toHex,
} from '@mlcapsule/crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { createFakeEnclave, testManifest } from '../../test-support/fake-enclave.ts'
import { devPolicy, makePackedStore, type PackedStore } from '../../test-support/packed-store.ts'
import { sharedTempDir } from '../../test-support/temp-dir.ts'
import { referenceStore } from '../attestation/reference-store.ts'
import { storePaths } from '../store/paths.ts'
import { openProvider, type Provider } from './provider.ts'

let nowMs = Date.UTC(2026, 0, 15)
const signedAtMs = nowMs - 1000
const list = 'board/list'

/**
 * A platform that stands for hardware here: evidence as of the simulated one, from which a reference value alone leads to a
 * manifest, and whose vendor publishes a list that has to be there.
 */
const board: EvidenceVerifier = {
  ...simulatedVerifier,
  name: 'board',
  rules: {
    slots: platformRule<unknown, number>({
      schema: z.int(),
      suggested: 1,
      found: () => '1',
      holds: (_claims, slots) => slots === 1,
      code: 'ATTESTATION_PLATFORM_REFUSED',
    }),
  },
  identifyingRegisters: [['manifestSha384']],
  collateralNames: () => [[list]],
  async verify(evidence, context) {
    requireCollateral(context.collateral, list)
    const found = await simulatedVerifier.verify(evidence, {
      ...context,
      trustStore: simulatedTrustStore('any'),
    })
    return {
      ...found,
      platform: 'board',
      rootKind: 'hardware',
      tier: 'sgx',
      manifestSha384: null,
      tcbStatus: 'UpToDate',
      newestSignedAtMs: signedAtMs,
    }
  },
}

const dir = sharedTempDir()
let store: PackedStore
let provider: Provider
let signer: SigningKeyPair
/** How often the platform was asked whom it trusts. */
let trustStoreCount = 0
let customer: SigningKeyPair

beforeAll(async () => {
  await cryptoReady()
  signer = generateSigningKeyPair()
  store = await makePackedStore(dir.path)
  provider = await openProvider({
    storeDir: store.storeDir,
    now: () => nowMs,
    platforms: [
      {
        verifier: board,
        rootKind: 'hardware',
        trustStore: async () => {
          trustStoreCount++
          return { platform: 'board', rootKind: 'hardware' }
        },
      },
    ],
  })
})
afterAll(async () => {
  await provider.close()
  dir.remove()
})
beforeEach(() => {
  customer = generateSigningKeyPair()
})

const policy = () => ({
  ...devPolicy,
  allowUnattested: [],
  manifests: [{ sha384: toHex(manifestDigest(testManifest)) }],
  referenceSigners: [keyThumbprint(signer.publicKey)],
  platforms: { board: { slots: 1 } },
})

async function activate(): Promise<string> {
  const order = { capsuleId: store.capsuleId, customerKey: toBase64Url(customer.publicKey), units: 10 }
  await provider.createOrder({ ...order, policy: policy() })
  const wanted = { capsuleId: store.capsuleId, customer: keyThumbprint(customer.publicKey) }
  const { challenge } = await provider.issueChallenge(wanted)
  const { headerHash, authorityKey } = store
  const enclave = await createFakeEnclave({ customer, headerHash, authorityKey, platform: 'board' })
  try {
    const { response } = await provider.activate({ request: await enclave.request(challenge) })
    return (await enclave.open(challenge, response)).license === '' ? 'no license' : 'released'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('#77 #78 a key is released to hardware by what the store holds: collateral, a reference value, and a clock', async () => {
  const paths = storePaths(store.storeDir)
  const cache = collateralCache(paths.collateralDir)
  expect(await activate()).toBe('ATTESTATION_COLLATERAL_MISSING')

  await cache.store(new Map([[list, Uint8Array.of(1)]]))
  expect(await activate()).toBe('ATTESTATION_MEASUREMENT_UNKNOWN')

  // A stranger's word does not count, and does not stand in the way of one that does.
  const manifest = toHex(manifestDigest(testManifest))
  const value = { release: 'one', platform: 'board', measurement: { manifestSha384: manifest }, manifest }
  const references = referenceStore(paths.referencesDir)
  await references.add(await signReference({ signer: generateSigningKeyPair(), ...value }))
  expect(await activate()).toBe('ATTESTATION_MEASUREMENT_UNKNOWN')
  expect(await cache.newestSeenMs()).toBe(0)
  await references.add(await signReference({ signer, ...value }))
  expect(await activate()).toBe('released')

  // #78: what the vendor signed was seen; a clock before it is not believed.
  expect(await cache.newestSeenMs()).toBe(signedAtMs)
  nowMs = signedAtMs - 1
  expect(await activate()).toBe('ATTESTATION_CLOCK_BEHIND')
})

test('whom a platform trusts is asked at each activation: a service that runs sees what changes', async () => {
  const before = trustStoreCount
  await activate()
  await activate()
  expect(trustStoreCount - before).toBe(2)
})

test("an order's policy is held against the rules of its platforms", async () => {
  const order = { capsuleId: store.capsuleId, customerKey: toBase64Url(customer.publicKey), units: 10 }
  const without = { ...policy(), platforms: { board: {} } }
  await expect(provider.createOrder({ ...order, policy: without })).rejects.toThrow(
    expect.objectContaining({ code: 'POLICY_FIELD_MISSING', field: 'policy.platforms.board.slots' }),
  )
})
