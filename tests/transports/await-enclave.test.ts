// SPDX-License-Identifier: Apache-2.0

import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { EnclaveManifest } from '@mlcapsule/attestation'
import { codeOf } from '@mlcapsule/crypto/testing'
import { type AwaitOptions, awaitEnclave } from '@mlcapsule/enclave-bridge/node'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createWorld, type World } from './world.ts'

const manifest: EnclaveManifest = {
  version: 1,
  entry: 'vm',
  components: [{ name: 'enclave-core.mjs', sha384: '11'.repeat(48) }],
  plugins: [],
}
const failed = 'BRIDGE_LAUNCH_FAILED'
let world: World
beforeAll(async () => {
  world = await createWorld()
})

const open: (Socket | Server)[] = []
afterEach(() => {
  for (const it of open.splice(0)) 'destroy' in it ? it.destroy() : it.close()
})

const wait = async (changes: Partial<AwaitOptions> = {}) =>
  await awaitEnclave({ manifest, capsule: await world.open(), ...changes })
const call = (port: number): Socket => {
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('error', () => undefined)
  open.push(socket)
  return socket
}

describe('waiting for an enclave', () => {
  test('of an entry that is started here makes no sense', async () => {
    const process: EnclaveManifest = { ...manifest, entry: 'process' }
    expect(await codeOf(() => wait({ manifest: process }))).toBe('BRIDGE_OPTION_INVALID')
  })

  test.each([-1, 65_536, 0.5, Number.NaN])('at port %d is not waiting', async (port) => {
    expect(await codeOf(() => wait({ port }))).toBe('BRIDGE_OPTION_INVALID')
  })

  test('ends where nobody calls, and no longer listens then', async () => {
    let listening = 0
    const onListening = ({ port }: { readonly port: number }) => {
      listening = port
    }
    expect(await codeOf(() => wait({ waitMs: 50, onListening }))).toBe(failed)
    const refused = new Promise((resolve) => call(listening).once('error', resolve))
    expect(await refused).toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('ends where the address is taken', async () => {
    const server = createServer()
    open.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    expect(await codeOf(() => wait({ port }))).toBe(failed)
  })

  test('ends where who calls says nothing, goes, or says what is no enclave', async () => {
    const silent = wait({ startTimeoutMs: 100, onListening: ({ port }) => call(port) })
    expect(await codeOf(() => silent)).toBe(failed)
    const gone = wait({ onListening: ({ port }) => call(port).end() })
    expect(await codeOf(() => gone)).toBe(failed)
    const other = wait({ onListening: ({ port }) => call(port).write('GET / HTTP/1.1\r\n\r\n'.repeat(9)) })
    expect(await codeOf(() => other)).toMatch(/^BRIDGE_/)
  })

  test('takes the first, and lets go of those who come after', async () => {
    const second = Promise.withResolvers<void>()
    const waiting = wait({
      startTimeoutMs: 300,
      onListening: ({ port }) => {
        call(port).once('connect', () => call(port).once('close', () => second.resolve()))
      },
    })
    await second.promise
    expect(await codeOf(() => waiting)).toBe(failed)
  })
})
