// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { capsulePath } from '../probe/given.ts'
import type { Realm, Report } from '../probe/report.ts'

export const contentSecurityPolicy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'"

const contentTypes: Readonly<Record<string, string>> = {
  '/': 'text/html; charset=utf-8',
  '/page.js': 'text/javascript; charset=utf-8',
  '/worker.js': 'text/javascript; charset=utf-8',
  '/given.json': 'application/json',
}

export interface Site {
  readonly origin: string
  /** What is served, by path. */
  readonly files: Map<string, Uint8Array>
  /** Resolves when the realm has sent its report. */
  report(realm: Realm): Promise<Report>
  /** How many answers held a part of a capsule. */
  readonly rangeCount: () => number
  close(): Promise<void>
}

/** A web site on the loopback interface that knows ranges, and takes reports. */
export async function serveSite(): Promise<Site> {
  const files = new Map<string, Uint8Array>()
  const reports = {
    page: Promise.withResolvers<Report>(),
    worker: Promise.withResolvers<Report>(),
  }
  let rangeCount = 0

  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const realm = request.url === '/reports/page' ? 'page' : 'worker'
    reports[realm].resolve(JSON.parse(await text(request)) as Report)
    response.writeHead(204).end()
  }
  const send = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? ''
    const bytes = files.get(path)
    if (bytes === undefined) {
      response.writeHead(404).end()
      return
    }
    response.setHeader('Content-Type', contentTypes[path] ?? 'application/octet-stream')
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (range === null) {
      response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes)
      return
    }
    const start = Number(range[1])
    if (start >= bytes.length) {
      response.writeHead(416, { 'Content-Range': `bytes */${bytes.length}` }).end()
      return
    }
    const end = Math.min(Number(range[2]), bytes.length - 1)
    if (path.startsWith(capsulePath(''))) rangeCount++
    response.writeHead(206, { 'Content-Range': `bytes ${start}-${end}/${bytes.length}`, ETag: '"one"' })
    response.end(bytes.subarray(start, end + 1))
  }

  const server = createServer((request, response) => {
    response.setHeader('Content-Security-Policy', contentSecurityPolicy)
    if (request.method === 'POST') void receive(request, response)
    else send(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    report: (realm) => reports[realm].promise,
    rangeCount: () => rangeCount,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
