// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { manifestDigest } from '@mlcapsule/attestation'
import { toHex } from '@mlcapsule/crypto'
import { type EnclaveHandle, StreamChannel } from '@mlcapsule/enclave-bridge'
import { attachEnclave, capsulePages, memoryRecords } from '@mlcapsule/enclave-bridge/host'
import { measureBundle, socketStream } from '@mlcapsule/enclave-bridge/node'
import type { World } from './world.ts'

const root = join(import.meta.dirname, '..', '..')

/** An entry for hardware, built into a folder as an image holds it. */
export interface BuiltEntry {
  readonly entry: 'gramine' | 'vm'
  readonly bundleDir: string
}

/** Builds an entry, with its manifest beside it, into a folder of `home`. */
export async function buildEntry(home: string, entry: BuiltEntry['entry']): Promise<BuiltEntry> {
  const bundleDir = join(home, entry)
  const args = ['--conditions=@mlcapsule/source', 'build/build.mjs', bundleDir]
  execFileSync(process.execPath, args, { cwd: join(root, 'enclave-runtime'), stdio: 'pipe' })
  const { manifest } = await measureBundle({ bundleDir, entry })
  writeFileSync(join(bundleDir, 'enclave-manifest.json'), JSON.stringify(manifest))
  return { entry, bundleDir }
}

export interface EntryStart {
  /** Behind the address of the host. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told of the process, to end it. */
  readonly onStart: (child: ChildProcess) => void
}

/** Starts the built file, which calls at a port. */
export function startEntry(
  { entry, bundleDir }: BuiltEntry,
  port: number,
  { args, env, onStart }: EntryStart,
): ChildProcess {
  const program = join(bundleDir, `entry-${entry}.mjs`)
  const child = spawn(process.execPath, ['--no-warnings', program, JSON.stringify({ port }), ...args], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  onStart(child)
  return child
}

/** Starts the built file, and gives its end of the connection that it makes. */
export async function connectEntry(
  { entry, bundleDir }: BuiltEntry,
  { args, env, onStart }: EntryStart,
): Promise<StreamChannel> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const connected = new Promise<StreamChannel>((resolve) =>
    server.once('connection', (socket) => resolve(new StreamChannel(socketStream(socket)))),
  )
  const child = startEntry({ entry, bundleDir }, port, { args, env, onStart })
  const ended = new Promise<never>((_, reject) => child.once('exit', () => reject(new Error('it ended'))))
  try {
    return await Promise.race([connected, ended])
  } finally {
    server.close()
  }
}

/** Takes up the enclave at the other end, with the capsule of a world. */
export async function attachEntry(
  { entry, bundleDir }: BuiltEntry,
  channel: StreamChannel,
  world: World,
  records = new Map<string, Uint8Array>(),
): Promise<EnclaveHandle> {
  const { manifest } = await measureBundle({ bundleDir, entry })
  const capsule = await world.open()
  return await attachEnclave(channel, {
    info: {
      entry,
      manifest,
      manifestSha384: toHex(manifestDigest(manifest)),
      kernels: 'wasm',
      transport: 'socket',
    },
    services: { ...memoryRecords(records), readPages: capsulePages(capsule) },
    manifest,
    capsulePrefix: capsule.prefix,
    startTimeoutMs: 30_000,
  })
}
