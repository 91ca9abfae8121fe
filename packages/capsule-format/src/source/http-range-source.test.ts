// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { pack, publisher, seededBytes } from '../../test/fixtures.ts'
import { httpRangeSource, openCapsule } from '../index.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, call: number) => void

let bytes: Uint8Array
let server: Server | undefined
const quick = { retryDelayMs: 1, timeoutMs: 2_000 }

beforeAll(async () => {
  bytes = (await pack(new Uint8Array(10), seededBytes('w', 9_000))).bytes
})
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function serve(handler: Handler): Promise<string> {
  let call = 0
  server = createServer((request, response) => handler(request, response, call++))
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.capsule`
}

function requested(request: IncomingMessage): [number, number] {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  return [Number(match?.[1]), Number(match?.[2])]
}

function sendRange(request: IncomingMessage, response: ServerResponse, content: Uint8Array = bytes): void {
  const [start, end] = requested(request)
  response.writeHead(206, { 'Content-Range': `bytes ${start}-${end}/${content.length}`, ETag: '"one"' })
  response.end(content.subarray(start, end + 1))
}

const withCode = (code: string): unknown => expect.objectContaining({ code })

describe('an honest server', () => {
  test('serves a capsule; every range names the version that was opened', async () => {
    const validators: (string | undefined)[] = []
    const url = await serve((request, response) => {
      validators.push(request.headers['if-range'] as string | undefined)
      sendRange(request, response)
    })
    const capsule = await openCapsule(await httpRangeSource(url, quick), {
      publishers: [publisher.publicKey],
    })
    await capsule.verifyTree()
    expect(validators[0]).toBeUndefined()
    expect(validators.slice(1).every((validator) => validator === '"one"')).toBe(true)
  })

  test('passes headers on', async () => {
    const url = await serve((request, response) => {
      expect(request.headers.authorization).toBe('Bearer x')
      sendRange(request, response)
    })
    await httpRangeSource(url, { ...quick, headers: { Authorization: 'Bearer x' } })
  })

  test('is asked again after passing trouble', async () => {
    const url = await serve((request, response, call) => {
      if (call === 0) response.writeHead(503).end()
      else if (call === 1) response.destroy()
      else sendRange(request, response)
    })
    expect((await httpRangeSource(url, quick)).sizeBytes).toBe(bytes.length)
  })
})

describe('a hostile or broken server', () => {
  test('does not serve ranges', async () => {
    const url = await serve((_, response) => response.writeHead(200).end(bytes))
    await expect(httpRangeSource(url, quick)).rejects.toThrowError(withCode('CAPSULE_RANGE_UNSUPPORTED'))
  })

  test.each([404, 401, 304])('answers %d', async (status) => {
    const url = await serve((_, response) => response.writeHead(status).end())
    await expect(httpRangeSource(url, quick)).rejects.toThrowError(withCode('CAPSULE_SOURCE_FAILED'))
  })

  test('never recovers; the attempts are bounded', async () => {
    let calls = 0
    const url = await serve((_, response) => {
      calls++
      response.writeHead(500).end()
    })
    await expect(httpRangeSource(url, { ...quick, attemptCount: 4 })).rejects.toThrowError(
      withCode('CAPSULE_SOURCE_FAILED'),
    )
    expect(calls).toBe(4)
  })

  test('has an empty file', async () => {
    const url = await serve((_, response) => response.writeHead(416, { 'Content-Range': 'bytes */0' }).end())
    await expect(httpRangeSource(url, quick)).rejects.toThrowError(withCode('CAPSULE_TRUNCATED'))
  })

  test.each([
    ['no Content-Range', undefined],
    ['an unknown size', 'bytes 0-11/*'],
    ['another unit', 'items 0-11/100'],
    ['a size with a sign', 'bytes 0-11/-5'],
    ['a size beyond reason', 'bytes 0-11/99999999999999999999'],
    ['another start', 'bytes 1-12/99999'],
    ['another end', 'bytes 0-10/99999'],
  ])('sends %s', async (_, contentRange) => {
    const url = await serve((_request, response) => {
      response.writeHead(206, contentRange === undefined ? {} : { 'Content-Range': contentRange })
      response.end(bytes.subarray(0, 12))
    })
    await expect(httpRangeSource(url, quick)).rejects.toThrowError(withCode('CAPSULE_SOURCE_FAILED'))
  })

  test('sends too little, each time', async () => {
    const url = await serve((request, response) => {
      const [start, end] = requested(request)
      response.writeHead(206, { 'Content-Range': `bytes ${start}-${end}/${bytes.length}` })
      response.end(bytes.subarray(start, end))
    })
    await expect(httpRangeSource(url, quick)).rejects.toThrowError(withCode('CAPSULE_SOURCE_FAILED'))
  })

  test('sends without end', async () => {
    const url = await serve((request, response) => {
      const [start, end] = requested(request)
      response.writeHead(206, { 'Content-Range': `bytes ${start}-${end}/${bytes.length}` })
      const pour = (): void => {
        while (!response.destroyed && response.write(new Uint8Array(65_536)));
      }
      response.on('drain', pour)
      pour()
    })
    await expect(httpRangeSource(url, quick)).rejects.toThrowError(withCode('CAPSULE_SOURCE_FAILED'))
  })

  test('stalls', async () => {
    const url = await serve((request, response) => {
      const [start, end] = requested(request)
      response.writeHead(206, { 'Content-Range': `bytes ${start}-${end}/${bytes.length}` })
      response.write(bytes.subarray(start, start + 2))
    })
    await expect(httpRangeSource(url, { ...quick, timeoutMs: 50, attemptCount: 2 })).rejects.toThrowError(
      withCode('CAPSULE_SOURCE_FAILED'),
    )
  })

  test('is not there', async () => {
    const url = await serve(() => undefined)
    server?.close()
    await expect(httpRangeSource(url, { ...quick, timeoutMs: 200 })).rejects.toThrowError(
      withCode('CAPSULE_SOURCE_FAILED'),
    )
  })

  test.each<[string, Handler]>([
    ['grows', (request, response) => sendRange(request, response, new Uint8Array(bytes.length + 1))],
    ['is replaced', (_, response) => response.writeHead(200).end(bytes)],
    ['is emptied', (_, response) => response.writeHead(416).end()],
  ])('the file %s after it was opened', async (_, later) => {
    const url = await serve((request, response, call) => {
      if (call < 2) sendRange(request, response)
      else later(request, response, call)
    })
    const source = await httpRangeSource(url, quick)
    await source.read(0, 12)
    await expect(source.read(0, 100)).rejects.toThrowError(withCode('CAPSULE_SOURCE_CHANGED'))
  })

  test('the caller may end it', async () => {
    const url = await serve((request, response) => sendRange(request, response))
    const controller = new AbortController()
    const source = await httpRangeSource(url, { ...quick, signal: controller.signal })
    controller.abort()
    await expect(source.read(0, 12)).rejects.toThrowError(withCode('CAPSULE_SOURCE_FAILED'))
  })
})
