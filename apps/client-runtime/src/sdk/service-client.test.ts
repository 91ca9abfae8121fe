// SPDX-License-Identifier: Apache-2.0
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { serviceClient } from './service-client.ts'

const code = (code: string) => expect.objectContaining({ code })

async function service(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answering = (status: number, body: string) =>
  service((_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(body),
  )

describe('serviceClient', () => {
  test('posts JSON below the base path and reads the answers', async () => {
    const seen: unknown[] = []
    const url = await service(async (request, response) => {
      const body = await json(request)
      seen.push([request.method, request.url, request.headers['content-type'], body])
      const answers: Record<string, object> = {
        '/base/v1/challenges': { challenge: 'a.b.c', order: 'o', expiresAtMs: 1 },
        '/base/v1/activations': { response: 'd.e.f' },
        '/base/v1/statements': { status: 'accepted', seq: 1 },
      }
      response.end(JSON.stringify(answers[request.url ?? '']))
    })
    const client = serviceClient(`${url}/base?x=1`)
    expect(await client.requestChallenge({ capsuleId: 'c', customer: 'k' })).toBe('a.b.c')
    expect(await client.activate('r.r.r')).toBe('d.e.f')
    expect(await client.sendStatement('s.s.s')).toBe('accepted')
    expect(seen).toEqual([
      ['POST', '/base/v1/challenges', 'application/json', { capsuleId: 'c', customer: 'k' }],
      ['POST', '/base/v1/activations', 'application/json', { request: 'r.r.r' }],
      ['POST', '/base/v1/statements', 'application/json', { statement: 's.s.s' }],
    ])
  })

  test("a refusal comes under the service's own code", async () => {
    const error = {
      code: 'ACTIVATION_REPLAYED',
      message: 'answered before',
      remedy: 'ask anew',
      field: 'request',
    }
    const client = serviceClient(await answering(409, JSON.stringify({ error })))
    await expect(client.activate('a.b.c')).rejects.toThrow(
      expect.objectContaining({ ...error, kind: 'refused', status: 409 }),
    )
    const failing = serviceClient(
      await answering(503, JSON.stringify({ error: { code: 'PROVIDER_INTERNAL', message: 'x' } })),
    )
    await expect(failing.activate('a.b.c')).rejects.toThrow(expect.objectContaining({ kind: 'environment' }))
  })

  test.each([
    ['no JSON', 200, '<html>'],
    ['another form', 200, '{"answer": 1}'],
    ['a token beyond its size', 200, JSON.stringify({ response: 'x'.repeat(65_537) })],
    ['an answer without end', 200, 'x'.repeat(100_000)],
    ['an error without a code', 500, '{"error": "x"}'],
    ['an error whose code is text', 400, '{"error": {"code": "no\\u001b[2J", "message": "x"}}'],
    ['no error', 404, ''],
  ])('%s is no answer', async (_what, status, body) => {
    const client = serviceClient(await answering(status, body))
    await expect(client.activate('a.b.c')).rejects.toThrow(code('CLIENT_SERVICE_ANSWER_INVALID'))
  })

  test('silence, a closed port and a redirect are no service', async () => {
    const silent = serviceClient(await service(() => undefined), { timeoutMs: 50 })
    await expect(silent.activate('a.b.c')).rejects.toThrow(code('CLIENT_SERVICE_UNREACHABLE'))
    await expect(serviceClient('http://127.0.0.1:9').activate('a.b.c')).rejects.toThrow(
      code('CLIENT_SERVICE_UNREACHABLE'),
    )
    const moved = await service((_request, response) =>
      response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(),
    )
    await expect(serviceClient(moved).activate('a.b.c')).rejects.toThrow(code('CLIENT_SERVICE_UNREACHABLE'))
  })

  test.each(['models.example', 'http://models.example', 'ftp://127.0.0.1', 'https://u:p@models.example'])(
    '%s is no address of a service',
    (url) => {
      expect(() => serviceClient(url)).toThrow(code('CLIENT_ARGUMENT_INVALID'))
    },
  )
})
