// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises'
import { cryptoReady, generateSigningKeyPair, keyThumbprint, toBase64Url } from '@mlcapsule/crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFakeEnclave } from '../../test-support/fake-enclave.ts'
import { devPolicy, makePackedStore, type PackedStore } from '../../test-support/packed-store.ts'
import { type ServingCli, startService } from '../../test-support/run-cli.ts'
import { sharedTempDir } from '../../test-support/temp-dir.ts'
import { withProvider } from './with-provider.ts'

const dir = sharedTempDir()
let store: PackedStore
const running = new Set<ServingCli>()

beforeAll(async () => {
  await cryptoReady()
  store = await makePackedStore(dir.path)
})
afterAll(async () => {
  for (const service of running) service.child.kill('SIGKILL')
  dir.remove()
})

async function start(): Promise<ServingCli> {
  const service = await startService(store.storeDir, dir.path)
  running.add(service)
  return service
}

async function kill(service: ServingCli): Promise<void> {
  service.child.kill('SIGKILL')
  await service.closed
  running.delete(service)
}

async function post<Value>(url: string, body: object): Promise<Value> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers })
  expect(response.ok).toBe(true)
  return (await response.json()) as Value
}

// Spread over the time that an activation takes; the last one kills after the answer.
const delaysMs = process.env.SLOW === '1' ? Array.from({ length: 60 }, (_, i) => i) : [3, 12, 200]

test('killed at any moment of an activation, the service answers the same request, and has granted once', async () => {
  const customer = generateSigningKeyPair()
  const wanted = { capsuleId: store.capsuleId, customer: keyThumbprint(customer.publicKey) }
  await withProvider({ storeDir: store.storeDir }, (provider) =>
    provider.createOrder({
      capsuleId: store.capsuleId,
      customerKey: toBase64Url(customer.publicKey),
      units: 100_000,
      terms: { grantUnits: 7 },
      policy: devPolicy,
    }),
  )
  let service = await start()
  for (const [round, delayMs] of delaysMs.entries()) {
    const { challenge } = await post<{ challenge: string }>(`${service.url}/v1/challenges`, wanted)
    const { headerHash, authorityKey } = store
    const enclave = await createFakeEnclave({ customer, headerHash, authorityKey })
    const request = await enclave.request(challenge)
    const first = post<{ response: string }>(`${service.url}/v1/activations`, { request }).catch(
      () => undefined,
    )
    await sleep(delayMs)
    await kill(service)
    const before = await first

    service = await start()
    const { response } = await post<{ response: string }>(`${service.url}/v1/activations`, { request })
    if (before !== undefined) expect(response).toBe(before.response)
    await expect(enclave.open(challenge, response)).resolves.toBeDefined()
    const orders = await withProvider({ storeDir: store.storeDir }, (provider) => provider.listOrders())
    expect(orders).toEqual([
      expect.objectContaining({ grantCount: round + 1, unitsGranted: 7 * (round + 1) }),
    ])
  }
  service.child.kill('SIGTERM')
  expect(await service.closed).toBe(0)
  running.delete(service)
})
