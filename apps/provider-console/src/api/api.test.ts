// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  toBase64Url,
} from '@mlcapsule/crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFakeEnclave } from '../../test-support/fake-enclave.ts'
import { devPolicy, makePackedStore, type PackedStore } from '../../test-support/packed-store.ts'
import { sharedTempDir } from '../../test-support/temp-dir.ts'
import { type ProviderService, serveProvider } from '../service/serve.ts'
import { withProvider } from '../service/with-provider.ts'
import { storePaths } from '../store/paths.ts'
import type { RequestRecord } from './app.ts'
import { bodyMaxSizeBytes } from './body.ts'

const dir = sharedTempDir()
const records: RequestRecord[] = []
const failures: unknown[] = []
let store: PackedStore
let service: ProviderService
let customer: SigningKeyPair

beforeAll(async () => {
  await cryptoReady()
  store = await makePackedStore(dir.path)
  service = await serveProvider({
    storeDir: store.storeDir,
    onRequest: (record) => records.push(record),
    onFailure: (error) => failures.push(error),
  })
  customer = generateSigningKeyPair()
})
afterAll(async () => {
  await service.close()
  dir.remove()
})

const json = { 'content-type': 'application/json' }
// A connection each: one that is kept may be closed by the service at the moment in which the next request is sent.
const post = (path: string, body: string, headers: Record<string, string> = json) =>
  fetch(`${service.url}${path}`, { method: 'POST', body, headers: { ...headers, connection: 'close' } })

async function problem(response: Response) {
  expect(response.headers.get('content-type')).toContain('application/json')
  const { error, ...rest } = (await response.json()) as { error: Record<string, string> }
  expect(rest).toEqual({})
  expect(Object.keys(error).filter((name) => !['code', 'message', 'field', 'remedy'].includes(name))).toEqual(
    [],
  )
  return { status: response.status, code: error.code }
}

describe('a customer', () => {
  test('is challenged, activated, and answered the same again', async () => {
    await withProvider({ storeDir: store.storeDir }, (provider) =>
      provider.createOrder({
        capsuleId: store.capsuleId,
        customerKey: toBase64Url(customer.publicKey),
        units: 20,
        policy: devPolicy,
      }),
    )
    const wanted = { capsuleId: store.capsuleId, customer: keyThumbprint(customer.publicKey) }
    const challenged = await post('/v1/challenges', JSON.stringify(wanted))
    expect(challenged.status).toBe(201)
    const { challenge } = (await challenged.json()) as { challenge: string }
    const enclave = await createFakeEnclave({
      customer,
      headerHash: store.headerHash,
      authorityKey: store.authorityKey,
    })
    const request = JSON.stringify({ request: await enclave.request(challenge) })
    const activated = await post('/v1/activations', request)
    expect(activated.status).toBe(200)
    expect(activated.headers.get('cache-control')).toBe('no-store')
    const answer = await activated.text()
    expect(await (await post('/v1/activations', request)).text()).toBe(answer)

    const other = await createFakeEnclave({
      customer,
      headerHash: store.headerHash,
      authorityKey: store.authorityKey,
    })
    const replay = await post('/v1/activations', JSON.stringify({ request: await other.request(challenge) }))
    expect(await problem(replay)).toEqual({ status: 409, code: 'ACTIVATION_REPLAYED' })
    expect(await problem(await post('/v1/challenges', JSON.stringify(wanted)))).toEqual({
      status: 409,
      code: 'PROVIDER_ORDER_SPENT',
    })
  })

  test('without an order is told so', async () => {
    const wanted = { capsuleId: store.capsuleId, customer: 'A'.repeat(43) }
    expect(await problem(await post('/v1/challenges', JSON.stringify(wanted)))).toEqual({
      status: 404,
      code: 'PROVIDER_ORDER_UNKNOWN',
    })
  })

  test('cannot choose how long a challenge lasts', async () => {
    const wanted = { capsuleId: store.capsuleId, customer: 'A'.repeat(43), lifetimeSeconds: 2_000_000 }
    expect(await problem(await post('/v1/challenges', JSON.stringify(wanted)))).toEqual({
      status: 400,
      code: 'PROVIDER_REQUEST_INVALID',
    })
  })
})

describe('hostile requests', () => {
  test('health needs nothing and says nothing', async () => {
    const response = await fetch(`${service.url}/healthz`)
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
  })

  test.each([
    ['/', 'GET'],
    ['/v1/activations', 'GET'],
    ['/v1/challenges', 'DELETE'],
    ['/v1/../keys/authority.key', 'GET'],
    ['/createOrder', 'POST'],
    ['/v1/%00', 'POST'],
  ])('%s %s is not there', async (path, method) => {
    const response = await fetch(`${service.url}${path}`, { method })
    expect(await problem(response)).toEqual({ status: 404, code: 'PROVIDER_ROUTE_UNKNOWN' })
  })

  test.each([
    ['no JSON', '{', json],
    ['another type', '{}', { 'content-type': 'text/plain' }],
    ['an array', '[]', json],
    ['null', 'null', json],
    ['a field too many', JSON.stringify({ statement: 'a', x: 1 }), json],
    ['a prototype', '{"__proto__":{"statement":"a"}}', json],
    ['a statement of nothing', JSON.stringify({ statement: 'a.b.c' }), json],
  ])('%s is refused', async (_, body, headers) => {
    expect(await problem(await post('/v1/statements', body, headers))).toEqual({
      status: 400,
      code: 'PROVIDER_REQUEST_INVALID',
    })
  })

  test('a body above the limit is refused, with and without its length stated', async () => {
    const body = JSON.stringify({ statement: 'a'.repeat(bodyMaxSizeBytes) })
    const tooLarge = { status: 413, code: 'PROVIDER_REQUEST_TOO_LARGE' }
    expect(await problem(await post('/v1/statements', body))).toEqual(tooLarge)
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 200; i++) controller.enqueue(new TextEncoder().encode(' '.repeat(1000)))
        controller.close()
      },
    })
    const chunked = await fetch(`${service.url}/v1/statements`, {
      method: 'POST',
      body: stream,
      headers: json,
      duplex: 'half',
    } as RequestInit)
    expect(await problem(chunked)).toEqual(tooLarge)
  })

  test('whatever is sent as JSON gets a coded refusal and never a failure', async () => {
    const paths = fc.constantFrom('/v1/challenges', '/v1/activations', '/v1/statements')
    const field = fc.constantFrom('request', 'statement', 'capsuleId', 'customer', 'order', 'x')
    const token = fc
      .tuple(fc.base64String(), fc.base64String(), fc.base64String())
      .map((parts) => parts.join('.'))
    const body = fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.oneof(fc.jsonValue(), token)))
    await fc.assert(
      fc.asyncProperty(paths, body, async (path, value) => {
        const { status } = await problem(await post(path, JSON.stringify(value)))
        expect([400, 403, 404, 409]).toContain(status)
      }),
      { numRuns: process.env.SLOW === '1' ? 20_000 : 150 },
    )
    expect(failures).toEqual([])
  })

  test('half a request keeps nobody else out', async () => {
    const { hostname, port } = new URL(service.url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.write('POST /v1/activations HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{')
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200)
    socket.destroy()
  })

  test('the log names no more than method, known path, status and code', () => {
    expect(records.length).toBeGreaterThan(0)
    for (const record of records) {
      expect(['/healthz', '/v1/challenges', '/v1/activations', '/v1/statements', '(other)']).toContain(
        record.path,
      )
      expect(record.method.length).toBeLessThanOrEqual(10)
    }
  })
})

describe('the socket for tools', () => {
  test.skipIf(process.platform === 'win32')(
    'is for its owner alone, and passes errors as they are (not on Windows: it has no such sockets)',
    async () => {
      expect(service.takesLocalCalls).toBe(true)
      expect(statSync(storePaths(store.storeDir).socket).mode & 0o777).toBe(0o600)
      const reached = withProvider({ storeDir: store.storeDir }, (it) => it.createOrder({}))
      await expect(reached).rejects.toMatchObject({ code: 'PROVIDER_REQUEST_INVALID', kind: 'input' })
    },
  )

  test('a second service on the store is refused', async () => {
    await expect(serveProvider({ storeDir: store.storeDir })).rejects.toMatchObject({
      code: 'PROVIDER_STORE_LOCKED',
    })
  })
})
