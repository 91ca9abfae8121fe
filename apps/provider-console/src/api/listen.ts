// SPDX-License-Identifier: Apache-2.0
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { systemCode } from '@mlcapsule/contracts/node'
import { ProviderError } from '../errors.ts'

type Fetch = (request: Request) => Response | Promise<Response>

export interface RunningServer {
  /** Base URL for a port, the path for a socket. */
  readonly address: string
  /** Takes no more requests, lets those under way finish, then cuts what is left. */
  close(): Promise<void>
}

/** Time that requests under way have to finish once the server is told to stop. */
const drainMs = 5000

function makeServer(fetch: Fetch): Server {
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server
  // A client that sends slowly holds a connection, not more, and not for long.
  server.headersTimeout = 10_000
  server.requestTimeout = 30_000
  server.keepAliveTimeout = 5000
  server.maxConnections = 256
  return server
}

async function listening(
  server: Server,
  options: { host: string; port: number } | { path: string },
): Promise<void> {
  const shown = 'path' in options ? options.path : `${options.host}:${options.port}`
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const detail = `cannot listen on ${shown} (${systemCode(cause)})`
      reject(new ProviderError('PROVIDER_LISTEN_FAILED', detail, { field: 'port', cause }))
    })
    server.listen(options, resolve)
  })
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), drainMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}

/** Serves on a port. Port 0 takes a free one. @throws ProviderError `PROVIDER_LISTEN_FAILED` */
export async function listenOnPort(fetch: Fetch, host: string, port: number): Promise<RunningServer> {
  const server = makeServer(fetch)
  await listening(server, { host, port })
  const { address, family, port: bound } = server.address() as AddressInfo
  const shownHost = family === 'IPv6' ? `[${address}]` : address
  return { address: `http://${shownHost}:${bound}`, close: () => closed(server) }
}

/** Serves on a socket in the file system, which only who may enter its folder can reach. */
export async function listenOnSocket(fetch: Fetch, path: string): Promise<RunningServer> {
  const server = makeServer(fetch)
  await listening(server, { path })
  return { address: path, close: () => closed(server) }
}
