// SPDX-License-Identifier: Apache-2.0
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type EnclaveManifest, manifestDigest } from '@mlcapsule/attestation'
import type { Capsule } from '@mlcapsule/capsule-format'
import { systemCode } from '@mlcapsule/contracts/node'
import { cryptoReady, toHex } from '@mlcapsule/crypto'
import { BridgeError } from '../errors.ts'
import { capsulePages } from '../host/capsule-services.ts'
import type { EnclaveHandle, EnclaveHandleOptions } from '../host/enclave-handle.ts'
import { memoryRecords } from '../host/memory-records.ts'
import { attachEnclave } from '../host/start.ts'
import { StreamChannel } from '../transports/stream-channel.ts'
import { socketStream } from './socket-stream.ts'

export interface AwaitOptions extends Omit<EnclaveHandleOptions, 'services' | 'anchor' | 'info'> {
  /** Of the build that the image holds, its `enclave-manifest.json`: the enclave has to show the same. */
  readonly manifest: EnclaveManifest
  readonly capsule: Capsule
  /** Address to listen at; 127.0.0.1 when absent, which a virtual machine does not reach. */
  readonly host?: string
  /** A free one when absent or 0. */
  readonly port?: number
  /** Told where it listens. */
  readonly onListening?: (address: { readonly host: string; readonly port: number }) => void
  /** How long the enclave may take to call: 120 s by default. */
  readonly waitMs?: number
  /** How long it may then take to show itself: 30 s by default. */
  readonly startTimeoutMs?: number
}

/**
 * Waits for an enclave that runs on hardware, started by other means with this address as its argument, and loads the
 * capsule. The first that calls is taken, and nobody after it. Who that is, the connection does not say and need not: only
 * evidence that a provider verifies gets a key.
 *
 * Its sealed state is kept in memory, since such an enclave cannot open it again once it has ended: each start needs an
 * activation of its own.
 * @throws BridgeError `BRIDGE_OPTION_INVALID` for a manifest of another entry than `gramine` or `vm`, or a port that is none;
 * `BRIDGE_LAUNCH_FAILED` where it cannot listen, nobody calls in time, or who calls says nothing; `BRIDGE_PROTOCOL_VIOLATION`
 * for another manifest; EnclaveError for a capsule that the enclave refuses
 */
export async function awaitEnclave(options: AwaitOptions): Promise<EnclaveHandle> {
  await cryptoReady()
  const { manifest, capsule, startTimeoutMs = 30_000 } = options
  const { entry } = manifest
  if (entry !== 'gramine' && entry !== 'vm') {
    const detail = `manifest: entry ${entry} is started here, and calls nobody: expected gramine or vm`
    throw new BridgeError('BRIDGE_OPTION_INVALID', detail, { field: 'manifest' })
  }
  const { port = 0 } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new BridgeError('BRIDGE_OPTION_INVALID', `port: expected 0 to 65535, got ${port}`, {
      field: 'port',
    })
  }
  const socket = await firstCaller(options)
  const handle = await attachEnclave(new StreamChannel(socketStream(socket)), {
    ...options,
    info: {
      entry,
      manifest,
      manifestSha384: toHex(manifestDigest(manifest)),
      kernels: 'wasm',
      transport: 'socket',
    },
    services: { ...memoryRecords(), readPages: capsulePages(capsule) },
    capsulePrefix: capsule.prefix,
    startTimeoutMs,
  }).catch((error: unknown) => {
    socket.destroy()
    throw error
  })
  void handle.closed.then(() => socket.destroy())
  return handle
}

function launchFailed(detail: string, cause?: unknown): BridgeError {
  return new BridgeError('BRIDGE_LAUNCH_FAILED', detail, { cause })
}

async function firstCaller(options: AwaitOptions): Promise<Socket> {
  const { host = '127.0.0.1', port = 0, waitMs = 120_000 } = options
  const server = createServer({ noDelay: true })
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  server.once('connection', resolve)
  // One who comes after is let go, and so is one who comes when the waiting has just ended.
  server.on('connection', (socket) => {
    promise.then(
      (first) => {
        if (first !== socket) socket.destroy()
      },
      () => socket.destroy(),
    )
  })
  server.on('error', (cause) =>
    reject(launchFailed(`${host}:${port}: listening failed (${systemCode(cause)})`, cause)),
  )
  const timer = setTimeout(() => reject(launchFailed(`no enclave called within ${waitMs} ms`)), waitMs)
  try {
    server.listen(port, host, () => options.onListening?.({ host, port: portOf(server) }))
    return await promise
  } finally {
    clearTimeout(timer)
    server.close()
  }
}

const portOf = (server: Server) => (server.address() as AddressInfo).port
