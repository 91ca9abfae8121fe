// SPDX-License-Identifier: Apache-2.0
// A peer that does not use our end of a transport, but writes to the port, the stream and the ring as it likes.
import { duplexPair } from 'node:stream'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Door } from '../src/enclave/index.ts'
import { BridgeError } from '../src/errors.ts'
import { EnclaveHandle } from '../src/host/enclave-handle.ts'
import { socketStream } from '../src/node/socket-stream.ts'
import type { Channel, ChannelListener, Frame } from '../src/protocol/channel.ts'
import { encodeMessage } from '../src/protocol/envelope.ts'
import { bridgeLimits } from '../src/protocol/limits.ts'
import { memoryChannelPair } from '../src/transports/memory-channel.ts'
import { type PortLike, portChannel } from '../src/transports/port-channel.ts'
import { encodeRecord, type StreamRecord } from '../src/transports/records.ts'
import { StreamChannel } from '../src/transports/stream-channel.ts'
import { echoHandlers, launchInfo, noServices } from './fake-enclave.ts'

function listen(channel: Channel) {
  const frames: Frame[] = []
  const closed = Promise.withResolvers<BridgeError | undefined>()
  channel.listen({ onFrame: (frame) => frames.push(frame), onClose: closed.resolve })
  return { frames, closed: closed.promise }
}

describe('a message port', () => {
  const bytes = new Uint8Array(1)
  test.each<[string, unknown]>([
    ['text', 'hello'],
    ['an object', { control: bytes }],
    ['no part', []],
    ['a part that is no bytes', [bytes, 'text']],
    ['a part of another kind', [bytes, new Float32Array(1)]],
    ['shared memory', [bytes, new Uint8Array(new SharedArrayBuffer(8))]],
    ['a part with more behind it', [bytes, new Uint8Array(8).subarray(0, 1)]],
    ['too many parts', Array.from({ length: bridgeLimits.payloadMaxCount + 2 }, () => new Uint8Array(1))],
    ['a control message that is too large', [new Uint8Array(bridgeLimits.controlMaxSizeBytes + 1)]],
  ])('that brings %s is closed', async (_, message) => {
    const { port1, port2 } = new MessageChannel()
    const { frames, closed } = listen(portChannel(port1 as unknown as PortLike))
    port2.postMessage(message)
    expect(await closed).toMatchObject({ code: 'BRIDGE_PROTOCOL_VIOLATION' })
    expect(frames).toEqual([])
    port2.close()
  })
})

describe('a stream', () => {
  const ringSizeBytes = 64

  /** A channel with rings, and the raw end that a hostile peer has of it. */
  function connect() {
    const [own, peer] = duplexPair()
    const ring = new Uint8Array(ringSizeBytes)
    const channel = new StreamChannel(socketStream(own), {
      incoming: ring,
      outgoing: new Uint8Array(ringSizeBytes),
    })
    const received: Uint8Array[] = []
    peer.on('data', (chunk: Uint8Array) => received.push(chunk))
    const send = (...records: StreamRecord[]) => records.forEach((it) => void peer.write(encodeRecord(it)))
    return { ...listen(channel), ring, received, send, peer }
  }
  const begin: StreamRecord = { type: 'begin', payloadSizesBytes: [16], control: Uint8Array.of(1) }

  const lies: Record<string, readonly StreamRecord[]> = {
    'a segment in another place': [begin, { type: 'ring', offsetBytes: 8, sizeBytes: 16 }],
    'a segment beyond the ring': [begin, { type: 'ring', offsetBytes: 0, sizeBytes: 65 }],
    'a segment larger than the payload': [begin, { type: 'ring', offsetBytes: 0, sizeBytes: 17 }],
    'an empty segment': [begin, { type: 'ring', offsetBytes: 0, sizeBytes: 0 }],
    'a segment without a frame': [{ type: 'ring', offsetBytes: 0, sizeBytes: 1 }],
    'a frame within a frame': [begin, begin],
    'credit that was not used': [{ type: 'credit', sizeBytes: 1 }],
    'no credit at all': [{ type: 'credit', sizeBytes: 0 }],
    'payloads that are too large together': [
      {
        type: 'begin',
        payloadSizesBytes: [bridgeLimits.payloadsMaxSizeBytes, 1],
        control: new Uint8Array(0),
      },
    ],
  }
  test.each(Object.entries(lies))('that brings %s is closed', async (_, records) => {
    const { send, frames, closed } = connect()
    send(...records)
    expect(await closed).toMatchObject({ code: 'BRIDGE_PROTOCOL_VIOLATION' })
    expect(frames).toEqual([])
  })

  test('that ends within a frame is closed without one', async () => {
    const { send, frames, closed, peer } = connect()
    send(begin)
    peer.end()
    expect(await closed).toBeUndefined()
    expect(frames).toEqual([])
  })

  test('gives credit after it has copied, and what the peer then writes to the ring changes nothing', async () => {
    const { send, frames, ring, received } = connect()
    ring.fill(7, 0, 16)
    send(begin, { type: 'ring', offsetBytes: 0, sizeBytes: 16 })
    await vi.waitFor(() => expect(received).toHaveLength(1))
    expect([...(received[0] as Uint8Array)]).toEqual([...encodeRecord({ type: 'credit', sizeBytes: 16 })])
    ring.fill(9)
    expect(frames).toEqual([{ control: Uint8Array.of(1), payloads: [new Uint8Array(16).fill(7)] }])
  })
})

test('a door whose channel fails stops once, and nothing is left unhandled', async () => {
  let listener: ChannelListener | undefined
  const channel: Channel = {
    send: () => {
      throw new Error('the port is gone')
    },
    listen: (it) => {
      listener = it
    },
    close: () => undefined,
  }
  const stop = vi.fn()
  const door = new Door(channel)
  door.serve(echoHandlers({ stop }))
  listener?.onFrame(encodeMessage({ type: 'request', id: 1, op: 'usage', nowMs: 0, body: {} }, 'host'))
  await vi.waitFor(() => expect(stop).toHaveBeenCalledTimes(1))
  await expect(door.call('readAnchor', {})).rejects.toMatchObject({ code: 'BRIDGE_CLOSED' })
})

describe('an enclave', () => {
  function connect(answer: Partial<Parameters<typeof echoHandlers>[0]>) {
    const [hostChannel, enclaveChannel] = memoryChannelPair()
    new Door(enclaveChannel).serve(echoHandlers(answer))
    return new EnclaveHandle(hostChannel, { info: launchInfo, services: noServices })
  }

  test('whose outputs do not have the size of their shape is left', async () => {
    const body = { verdict: 'pass' as const, units: 1, unitsLeft: 9, log: [] }
    const outputs = [{ name: 'y', dtype: 'float32' as const, shape: [2] }]
    const handle = connect({
      infer: () => Promise.resolve({ body: { ...body, outputs }, payloads: [new Uint8Array(4)] }),
    })
    await expect(handle.infer(new Map())).rejects.toMatchObject({ code: 'BRIDGE_PROTOCOL_VIOLATION' })
    expect((await handle.closed).code).toBe('BRIDGE_PROTOCOL_VIOLATION')
  })

  test('that could not end its ledger is ended all the same, and so is one whose caller no longer waits', async () => {
    const failed = connect({
      close: () => Promise.reject(new BridgeError('ENCLAVE_STOPPED', 'an earlier fault')),
    })
    await expect(failed.close()).rejects.toMatchObject({ code: 'ENCLAVE_STOPPED' })
    expect((await failed.closed).code).toBe('BRIDGE_CLOSED')

    const gate = Promise.withResolvers<void>()
    const slow = connect({
      close: async () => {
        await gate.promise
        return { body: { statement: null, log: [] } }
      },
    })
    await expect(slow.close({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'BRIDGE_TIMEOUT' })
    gate.resolve()
    expect((await slow.closed).code).toBe('BRIDGE_CLOSED')
  })

  test('that shows no manifest with its evidence is left', async () => {
    const zero32 = new Uint8Array(32)
    const body = { releaseKey: zero32, identityKey: zero32, headerHash: zero32, anchor: null, platform: 'x' }
    const handle = connect({
      beginActivation: () =>
        Promise.resolve({ body: { ...body, manifest: Uint8Array.of(0xa0) }, payloads: [zero32] }),
    })
    await expect(handle.beginActivation('a.b.c')).rejects.toMatchObject({
      code: 'BRIDGE_PROTOCOL_VIOLATION',
    })
    expect((await handle.closed).code).toBe('BRIDGE_PROTOCOL_VIOLATION')
  })
})

test('a listener of events that throws does not end the enclave, and its error is not swallowed', async () => {
  const thrown: unknown[] = []
  const queue = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((act) => {
    try {
      act()
    } catch (error) {
      thrown.push(error)
    }
  })
  onTestFinished(() => queue.mockRestore())
  const { port1, port2 } = new MessageChannel()
  const door = new Door(portChannel(port2 as unknown as PortLike))
  const { usage } = echoHandlers()
  door.serve(
    echoHandlers({
      usage: (...request) => {
        door.emit('activated')
        return usage(...request)
      },
    }),
  )
  const error = new Error('the progress bar fell over')
  const handle = new EnclaveHandle(portChannel(port1 as unknown as PortLike), {
    info: launchInfo,
    services: noServices,
    onEvent: () => {
      throw error
    },
  })
  expect((await handle.usage()).unitsLeft).toBe(9)
  expect((await handle.usage()).unitsLeft).toBe(9)
  expect(thrown).toEqual([error, error])
  handle.disconnect()
})
