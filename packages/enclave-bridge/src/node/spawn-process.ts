// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { BridgeError } from '../errors.ts'
import type { Channel } from '../protocol/channel.ts'
import { type SharedRings, StreamChannel } from '../transports/stream-channel.ts'
import { loadSharedMemory, type SharedMemoryAddon } from './shared-memory.ts'
import { socketStream } from './socket-stream.ts'

/** Size of each ring. */
const ringSizeBytes = 8_388_608

/** Descriptors as the child sees them. */
const socketFd = 3

export interface SpawnOptions {
  readonly entryPath: string
  /** Native addons that the child may load. */
  readonly addonPaths: readonly string[]
  readonly sharedMemoryPath: string | undefined
  /** Of the capsule's file, for an enclave that reads its ciphertext by itself. */
  readonly capsuleDescriptor: number | undefined
  /** Whether the child may start threads of its own, in JavaScript: those of the wasm kernels. */
  readonly allowThreads: boolean
  /** Shows what the child writes to its standard error: for finding faults, never in service. */
  readonly showOutput: boolean
}

export interface Spawned {
  readonly channel: Channel
  readonly transport: 'shared-memory' | 'socket'
  kill(): void
}

interface HostRings {
  readonly addon: SharedMemoryAddon
  readonly fds: readonly number[]
  readonly rings: SharedRings
}

function createRings(path: string | undefined): HostRings | undefined {
  const addon = path === undefined ? undefined : loadSharedMemory(path)
  if (addon === undefined) return undefined
  const fds: number[] = []
  const create = () => {
    const { fd, buffer } = addon.create(ringSizeBytes)
    fds.push(fd)
    return new Uint8Array(buffer)
  }
  try {
    return { addon, fds, rings: { outgoing: create(), incoming: create() } }
  } catch (cause) {
    for (const fd of fds) addon.closeFd(fd)
    throw new BridgeError('BRIDGE_LAUNCH_FAILED', 'the shared memory could not be made', { cause })
  }
}

/**
 * Takes from the child what it has no use for: code made from text, files, child processes, threads, addons that were not named.
 */
function nodeFlags(options: SpawnOptions, hasRings: boolean): string[] {
  const { entryPath, addonPaths, sharedMemoryPath, allowThreads } = options
  const addons = hasRings && sharedMemoryPath !== undefined ? [...addonPaths, sharedMemoryPath] : addonPaths
  const flags = ['--disallow-code-generation-from-strings', '--disable-proto=delete', '--no-warnings']
  if (!process.allowedNodeEnvironmentFlags.has('--permission')) {
    return addons.length === 0 ? [...flags, '--no-addons'] : flags
  }
  const readable = [dirname(entryPath), ...addons].map((path) => `--allow-fs-read=${path}`)
  const threads = allowThreads ? ['--allow-worker'] : []
  return [
    ...flags,
    '--permission',
    ...readable,
    ...threads,
    ...(addons.length === 0 ? [] : ['--allow-addons']),
  ]
}

/**
 * Starts the process entry: a child of this Node with a socket, two rings where there is the addon, the capsule's file where
 * it is given, an empty environment, and no other descriptor.
 * @throws BridgeError `BRIDGE_LAUNCH_FAILED`
 */
export function spawnProcess(options: SpawnOptions): Spawned {
  const shared = createRings(options.sharedMemoryPath)
  const fds: number[] = [...(shared?.fds ?? [])]
  if (options.capsuleDescriptor !== undefined) fds.push(options.capsuleDescriptor)
  // What the entry reads from its argument.
  const means = {
    ...(shared === undefined ? {} : { ringSizeBytes, sharedMemoryPath: options.sharedMemoryPath }),
    ...(options.capsuleDescriptor === undefined ? {} : { capsuleFd: socketFd + fds.length }),
  }
  const flags = nodeFlags(options, shared !== undefined)
  let child: ChildProcess
  try {
    child = spawn(process.execPath, [...flags, options.entryPath, JSON.stringify(means)], {
      env: {},
      // Ctrl+C in a terminal goes to the whole process group. The enclave is closed by its host, or loses its open block.
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'ignore', options.showOutput ? 'inherit' : 'ignore', 'pipe', ...fds],
    })
  } catch (cause) {
    throw new BridgeError('BRIDGE_LAUNCH_FAILED', 'the child process could not be started', { cause })
  } finally {
    // The child has its own; the mappings stay.
    for (const fd of shared?.fds ?? []) shared?.addon.closeFd(fd)
  }
  // Without descriptors to spare, a child is given back that has no streams, and an error only afterward.
  const socket = (child.stdio as ChildProcess['stdio'] | undefined)?.[socketFd] as Duplex | undefined
  child.on('error', () => socket?.destroy())
  if (socket === undefined) {
    throw new BridgeError('BRIDGE_LAUNCH_FAILED', 'the system has no descriptors left for a child process')
  }
  const channel = new StreamChannel(socketStream(socket), shared?.rings)
  return {
    channel,
    transport: shared === undefined ? 'socket' : 'shared-memory',
    kill: () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    },
  }
}
