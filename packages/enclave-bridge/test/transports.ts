// SPDX-License-Identifier: Apache-2.0
import { duplexPair } from 'node:stream'
import { loadSharedMemory } from '../src/node/shared-memory.ts'
import { socketStream } from '../src/node/socket-stream.ts'
import type { Channel } from '../src/protocol/channel.ts'
import { memoryChannelPair } from '../src/transports/memory-channel.ts'
import { type PortLike, portChannel } from '../src/transports/port-channel.ts'
import { StreamChannel } from '../src/transports/stream-channel.ts'

export interface TransportUnderTest {
  readonly name: string
  /** Why it cannot be tested here, or null. */
  readonly missing: string | null
  connect(): readonly [host: Channel, enclave: Channel]
}

/** Small, so that tests go round them many times. */
export const testRingSizeBytes = 16_384

/** Two rings in this process's own memory: the protocol does not see the difference. */
function privateRings() {
  const first = new Uint8Array(testRingSizeBytes)
  const second = new Uint8Array(testRingSizeBytes)
  return [
    { outgoing: first, incoming: second },
    { outgoing: second, incoming: first },
  ] as const
}

/** Two rings, each mapped twice. */
function mappedRings() {
  const addon = loadSharedMemory()
  if (addon === undefined) throw new Error('the addon is not built')
  const make = () => {
    const { fd, buffer } = addon.create(testRingSizeBytes)
    const other = addon.map(fd, testRingSizeBytes)
    addon.closeFd(fd)
    return [new Uint8Array(buffer), new Uint8Array(other)] as const
  }
  const [hostOut, enclaveIn] = make()
  const [hostIn, enclaveOut] = make()
  return [
    { outgoing: hostOut, incoming: hostIn },
    { outgoing: enclaveOut, incoming: enclaveIn },
  ] as const
}

function streamPair(rings: ReturnType<typeof privateRings> | undefined): readonly [Channel, Channel] {
  const [left, right] = duplexPair()
  return [
    new StreamChannel(socketStream(left), rings?.[0]),
    new StreamChannel(socketStream(right), rings?.[1]),
  ]
}

export const transports: readonly TransportUnderTest[] = [
  { name: 'memory', missing: null, connect: memoryChannelPair },
  {
    name: 'message port',
    missing: null,
    connect() {
      const { port1, port2 } = new MessageChannel()
      return [portChannel(port1 as unknown as PortLike), portChannel(port2 as unknown as PortLike)]
    },
  },
  { name: 'stream', missing: null, connect: () => streamPair(undefined) },
  { name: 'stream with rings', missing: null, connect: () => streamPair(privateRings()) },
  {
    name: 'stream with rings in shared memory',
    missing: loadSharedMemory() === undefined ? 'the shared-memory addon is not built here' : null,
    connect: () => streamPair(mappedRings()),
  },
]
