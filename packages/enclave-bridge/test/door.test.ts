// SPDX-License-Identifier: Apache-2.0

import type { Tensor } from '@mlcapsule/contracts'
import { encodeCbor } from '@mlcapsule/crypto'
import { describe, expect, test, vi } from 'vitest'
import { Door, type EnclaveHandlers } from '../src/enclave/index.ts'
import { BridgeError } from '../src/errors.ts'
import { EnclaveHandle, type EnclaveHandleOptions } from '../src/host/enclave-handle.ts'
import type { Channel, Frame } from '../src/protocol/channel.ts'
import { decodeEnclaveMessage, encodeMessage, type HostMessage } from '../src/protocol/envelope.ts'
import { bridgeLimits } from '../src/protocol/limits.ts'
import { echoHandlers, launchInfo, noServices, zero32 } from './fake-enclave.ts'
import { type TransportUnderTest, transports } from './transports.ts'

const inputs = (): Map<string, Tensor> =>
  new Map([
    ['image', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ['mask', { dtype: 'uint8', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ])

function suite(transport: TransportUnderTest): void {
  function connect(
    makeHandlers: (door: Door) => EnclaveHandlers = () => echoHandlers(),
    options: Partial<EnclaveHandleOptions> = {},
  ) {
    const [hostChannel, enclaveChannel] = transport.connect()
    const door = new Door(enclaveChannel)
    door.serve(makeHandlers(door))
    const handle = new EnclaveHandle(hostChannel, { info: launchInfo, services: noServices, ...options })
    return { handle, door, hostChannel, enclaveChannel }
  }

  /** A host that sends whatever it likes. */
  function hostileHost(makeHandlers: (door: Door) => EnclaveHandlers = () => echoHandlers()) {
    const [hostChannel, enclaveChannel] = transport.connect()
    const stop = vi.fn()
    const door = new Door(enclaveChannel)
    door.serve({ ...makeHandlers(door), stop })
    const frames: Frame[] = []
    let wake = () => {}
    let closed = false
    hostChannel.listen({
      onFrame: (frame) => {
        frames.push(frame)
        wake()
      },
      onClose: () => {
        closed = true
        wake()
      },
    })
    const until = async (condition: () => boolean) => {
      while (!condition()) await new Promise<void>((resolve) => (wake = resolve))
    }
    const next = async () => {
      await until(() => frames.length > 0)
      return decodeEnclaveMessage(frames.shift() as Frame)
    }
    return { channel: hostChannel, stop, next, closed: () => until(() => closed) }
  }

  function request(
    channel: Channel,
    message: Extract<HostMessage, { type: 'request' }>,
    payloads: Uint8Array[] = [],
  ) {
    channel.send(encodeMessage(message, 'host', payloads))
  }

  test('a query goes in, its answer and receipt come out', async () => {
    const entries: unknown[] = []
    const { handle } = connect(undefined, {
      onLog: (log) => {
        entries.push(...log)
        return Promise.resolve()
      },
    })
    const answer = await handle.infer(inputs())
    expect(answer).toMatchObject({ verdict: 'pass', units: 1, unitsLeft: 9 })
    expect(answer.outputs).toEqual(inputs())
    expect(entries).toEqual([{ receipt: Uint8Array.of(1, 2, 3) }])
    expect((await handle.hello()).plugins).toEqual([{ kind: 'defense', name: 'rounding', version: 1 }])
    expect(await handle.close()).toBeNull()
    expect((await handle.closed).code).toBe('BRIDGE_CLOSED')
  })

  test('receipts that could not be kept come again with the next ones, before any further answer', async () => {
    const kept: unknown[] = []
    let isFull = true
    const refusal = new Error('the disk is full')
    const { handle } = connect(
      () => {
        let query = 0
        return echoHandlers({
          infer: async (...given) => {
            const answer = await echoHandlers().infer(...given)
            // The second one is the first one, repeated: its receipt does not cross again.
            const log = ++query === 2 ? [] : [Uint8Array.of(query)]
            return { ...answer, body: { ...answer.body, log } }
          },
        })
      },
      {
        onLog: (log) => {
          if (isFull) return Promise.reject(refusal)
          kept.push(...log)
          return Promise.resolve()
        },
      },
    )
    await expect(handle.infer(inputs())).rejects.toBe(refusal)
    await expect(handle.infer(inputs())).rejects.toBe(refusal)
    isFull = false
    await handle.infer(inputs())
    expect(kept).toEqual([{ receipt: Uint8Array.of(1) }, { receipt: Uint8Array.of(3) }])
    await handle.infer(inputs())
    expect(kept.length).toBe(3)
    handle.disconnect()
  })

  test('a sequence that was opened for a caller who had given up is closed again', async () => {
    const gate = Promise.withResolvers<void>()
    const closed: number[] = []
    const { handle } = connect(() =>
      echoHandlers({
        openSequence: async () => {
          await gate.promise
          return { body: { id: 7 } }
        },
        closeSequence: async ({ id }) => {
          closed.push(id)
          return { body: {} }
        },
      }),
    )
    await expect(handle.openSequence({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'BRIDGE_TIMEOUT' })
    gate.resolve()
    await handle.openSequence()
    expect(closed).toEqual([7])
    handle.disconnect()
  })

  test('large tensors arrive unchanged', async () => {
    const { handle } = connect()
    const data = Float32Array.from({ length: 150_528 }, (_, i) => Math.sin(i))
    const large = new Map<string, Tensor>([['x', { dtype: 'float32', shape: [1, 3, 224, 224], data }]])
    const { outputs } = await handle.infer(large)
    expect(outputs.get('x')?.data).toEqual(data)
    handle.disconnect()
  })

  test('transfer is asked for, and without it the caller keeps its buffers', async () => {
    const { handle } = connect()
    const kept = inputs()
    await handle.infer(kept)
    expect(kept).toEqual(inputs())
    const given = inputs()
    expect((await handle.infer(given, { transfer: true })).outputs).toEqual(inputs())
    handle.disconnect()
  })

  test('a refusal crosses as code, known field and figures, and is put into words again', async () => {
    const { handle } = connect(() =>
      echoHandlers({
        infer: () =>
          Promise.reject(
            new BridgeError('ENCLAVE_INPUT_INVALID', 'secret text', {
              field: 'inputs[1].shape',
              numbers: [1, 3, 4],
            }),
          ),
        usage: () =>
          Promise.reject(new BridgeError('ENCLAVE_RECORD_INVALID', 'secret', { field: 'secret.path' })),
        hello: () => Promise.reject(new Error('secret')),
      }),
    )
    const refusal = await handle.infer(inputs()).catch((error: unknown) => error)
    expect(refusal).toMatchObject({
      code: 'ENCLAVE_INPUT_INVALID',
      field: 'inputs[1].shape',
      numbers: [1, 3, 4],
    })
    expect(JSON.stringify(refusal)).not.toContain('secret')
    expect(await handle.usage().catch((error: unknown) => error)).toMatchObject({
      code: 'ENCLAVE_RECORD_INVALID',
      field: undefined,
    })
    await expect(handle.hello()).rejects.toMatchObject({ code: 'ENCLAVE_INTERNAL' })
    handle.disconnect()
  })

  test('an enclave that speaks no version of ours is refused by either side', async () => {
    const unheard = connect(() =>
      echoHandlers({
        hello: async (...given) => {
          const answer = await echoHandlers().hello(...given)
          return { ...answer, body: { ...answer.body, version: 2 } }
        },
      }),
    )
    await expect(unheard.handle.hello()).rejects.toMatchObject({ code: 'BRIDGE_VERSION_UNSUPPORTED' })
    unheard.handle.disconnect()
    const refusing = connect(() =>
      echoHandlers({
        hello: () =>
          Promise.reject(
            new BridgeError('BRIDGE_VERSION_UNSUPPORTED', '', { field: 'versions', numbers: [2] }),
          ),
      }),
    )
    await expect(refusing.handle.hello()).rejects.toMatchObject({
      code: 'BRIDGE_VERSION_UNSUPPORTED',
      field: 'versions',
      numbers: [2],
    })
    refusing.handle.disconnect()
  })

  test('calls of the enclave are served, and the reason of a failure stays with the host', async () => {
    const cause = new Error('the disk is full')
    const { handle } = connect(
      (door) =>
        echoHandlers({
          load: async () => {
            const { payloads } = await door.call('readPages', { blob: 'weights', first: 2, count: 2 })
            await door.call('writeRecord', { slot: 'ledger' }, [payloads[1] as Uint8Array])
            return { body: { capsuleId: zero32, headerHash: zero32 } }
          },
        }),
      {
        services: {
          ...noServices,
          readPages: (blob, first, count) =>
            Promise.resolve(Array.from({ length: count }, (_, i) => Uint8Array.of(blob.length, first + i))),
          writeRecord: (slot, record) => {
            expect([slot, record]).toEqual(['ledger', Uint8Array.of(7, 3)])
            return Promise.reject(cause)
          },
        },
      },
    )
    await expect(handle.load(new Uint8Array(100))).rejects.toMatchObject({
      code: 'BRIDGE_CALL_FAILED',
      cause,
    })
    handle.disconnect()
  })

  test('calls wait in a bounded queue, one at a time; a caller may give up', async () => {
    let underWay = 0
    let most = 0
    const gate = Promise.withResolvers<void>()
    const { handle } = connect(
      () =>
        echoHandlers({
          usage: async () => {
            most = Math.max(most, ++underWay)
            await gate.promise
            underWay--
            return echoHandlers().usage({}, [], { clockHintMs: 0 })
          },
        }),
      { queueLimit: 3 },
    )
    const abort = new AbortController()
    const running = handle.usage()
    const queued = [handle.usage(), handle.usage({ signal: abort.signal }), handle.usage({ timeoutMs: 1 })]
    await expect(handle.usage()).rejects.toMatchObject({ code: 'BRIDGE_QUEUE_FULL' })
    abort.abort()
    await expect(queued[1]).rejects.toMatchObject({ code: 'BRIDGE_ABORTED' })
    await expect(queued[2]).rejects.toMatchObject({ code: 'BRIDGE_TIMEOUT' })
    gate.resolve()
    await expect(running).resolves.toMatchObject({ unitsLeft: 9 })
    await expect(queued[0]).resolves.toMatchObject({ unitsLeft: 9 })
    expect(most).toBe(1)
    await expect(handle.usage({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'BRIDGE_ABORTED',
    })
    handle.disconnect()
  })

  test('a close takes its turn also behind a full queue: refused, it would cost the open block', async () => {
    const asked: string[] = []
    const note = <Answer>(op: string, answer: Answer) => {
      asked.push(op)
      return answer
    }
    const { usage, close } = echoHandlers()
    const { handle } = connect(
      () =>
        echoHandlers({
          usage: (...given) => note('usage', usage(...given)),
          close: (...given) => note('close', close(...given)),
        }),
      { queueLimit: 1 },
    )
    const before = [handle.usage(), handle.usage()]
    const [refused, closing] = [handle.usage(), handle.close()]
    await expect(refused).rejects.toMatchObject({ code: 'BRIDGE_QUEUE_FULL' })
    expect(await closing).toBeNull()
    await Promise.all(before)
    expect(asked).toEqual(['usage', 'usage', 'close'])
  })

  test('whoever waits when the enclave dies is told so', async () => {
    const { handle, enclaveChannel } = connect(() =>
      echoHandlers({ usage: () => new Promise(() => undefined) }),
    )
    const waiting = [handle.usage(), handle.usage()]
    enclaveChannel.close()
    for (const it of waiting) await expect(it).rejects.toMatchObject({ code: 'ENCLAVE_DIED' })
    await expect(handle.usage()).rejects.toMatchObject({ code: 'ENCLAVE_DIED' })
    expect((await handle.closed).code).toBe('ENCLAVE_DIED')
  })

  describe('a hostile host', () => {
    const usageRequest = { type: 'request', id: 1, op: 'usage', nowMs: 0, body: {} } as const

    test('that asks again while it is asked is refused, and the first request goes on', async () => {
      const host = hostileHost((door) =>
        echoHandlers({
          resume: async () => {
            await door.call('readRecord', { slot: 'license' })
            throw new BridgeError('ENCLAVE_RECORD_INVALID', 'none')
          },
        }),
      )
      request(host.channel, { ...usageRequest, op: 'resume' })
      const call = await host.next()
      expect(call.message).toMatchObject({ type: 'call', op: 'readRecord', body: { slot: 'license' } })
      request(host.channel, { ...usageRequest, id: 2 })
      expect((await host.next()).message).toMatchObject({
        type: 'failed',
        id: 2,
        failure: { code: 'ENCLAVE_BUSY' },
      })
      host.channel.send(encodeMessage({ type: 'reply', id: 1, op: 'readRecord', body: {} }, 'host'))
      expect((await host.next()).message).toMatchObject({
        type: 'failed',
        id: 1,
        failure: { code: 'ENCLAVE_RECORD_INVALID' },
      })
      expect(host.stop).not.toHaveBeenCalled()
      host.channel.close()
    })

    const violations: Record<string, (channel: Channel) => void> = {
      'bytes that are not CBOR': (channel) =>
        channel.send({ control: Uint8Array.of(0xff, 0, 1), payloads: [] }),
      'an empty control message': (channel) => channel.send({ control: new Uint8Array(0), payloads: [] }),
      'an unknown member': (channel) =>
        channel.send({ control: encodeCbor({ ...usageRequest, extra: 1 }), payloads: [] }),
      'an unknown request': (channel) =>
        channel.send({ control: encodeCbor({ ...usageRequest, op: 'eval' }), payloads: [] }),
      'a payload where none belongs': (channel) =>
        channel.send({ control: encodeCbor(usageRequest), payloads: [new Uint8Array(1)] }),
      'a request without its payload': (channel) =>
        channel.send({ control: encodeCbor({ ...usageRequest, op: 'load' }), payloads: [] }),
      'an answer that nobody waits for': (channel) =>
        channel.send(encodeMessage({ type: 'failed', id: 1, op: 'readRecord' }, 'host')),
      'a body of another shape': (channel) =>
        channel.send({
          control: encodeCbor({ ...usageRequest, op: 'infer', body: { inputs: 5 } }),
          payloads: [],
        }),
      'a shape that is no shape': (channel) => {
        const tensor = { name: 'x', dtype: 'float32', shape: [2 ** 40] }
        const body = { inputs: [tensor] }
        channel.send({
          control: encodeCbor({ ...usageRequest, op: 'infer', body }),
          payloads: [new Uint8Array(4)],
        })
      },
    }
    test.each(Object.entries(violations))(
      'that sends %s finds the door closed and the enclave stopped',
      async (_, send) => {
        const host = hostileHost()
        send(host.channel)
        await host.closed()
        expect(host.stop).toHaveBeenCalledTimes(1)
      },
    )

    test('that answers a call twice, or another call, finds the door closed', async () => {
      for (const change of [{ id: 9 }, { op: 'writeRecord' as const }]) {
        const host = hostileHost((door) =>
          echoHandlers({
            resume: async () => {
              await door.call('readRecord', { slot: 'license' })
              return await new Promise(() => undefined)
            },
          }),
        )
        request(host.channel, { ...usageRequest, op: 'resume' })
        await host.next()
        host.channel.send(
          encodeMessage({ type: 'reply', id: 1, op: 'readRecord', body: {}, ...change }, 'host'),
        )
        await host.closed()
        expect(host.stop).toHaveBeenCalledTimes(1)
      }
      const host = hostileHost((door) =>
        echoHandlers({
          resume: async () => {
            await door.call('readRecord', { slot: 'license' })
            return await new Promise(() => undefined)
          },
        }),
      )
      request(host.channel, { ...usageRequest, op: 'resume' })
      await host.next()
      const twice = encodeMessage({ type: 'reply', id: 1, op: 'readRecord', body: {} }, 'host')
      host.channel.send(twice)
      host.channel.send(twice)
      await host.closed()
      expect(host.stop).toHaveBeenCalledTimes(1)
    })

    test('that floods the door gets one refusal each, and no more', async () => {
      const gate = Promise.withResolvers<void>()
      const host = hostileHost(() =>
        echoHandlers({
          usage: async () => {
            await gate.promise
            return echoHandlers().usage({}, [], { clockHintMs: 0 })
          },
        }),
      )
      for (let id = 1; id <= 200; id++) request(host.channel, { ...usageRequest, id })
      for (let id = 2; id <= 200; id++) {
        expect((await host.next()).message).toMatchObject({
          type: 'failed',
          id,
          failure: { code: 'ENCLAVE_BUSY' },
        })
      }
      gate.resolve()
      expect((await host.next()).message).toMatchObject({ type: 'reply', id: 1 })
      host.channel.close()
    })
  })

  describe('a hostile enclave', () => {
    /** Answers the first frame and nothing after it; its calls are never answered either. */
    function hostileEnclave(answer: (channel: Channel) => void) {
      const [hostChannel, enclaveChannel] = transport.connect()
      let answered = false
      enclaveChannel.listen({
        onFrame() {
          if (answered) return
          answered = true
          answer(enclaveChannel)
        },
        onClose: () => undefined,
      })
      const services = { ...noServices, readRecord: () => new Promise<null>(() => undefined) }
      return new EnclaveHandle(hostChannel, { info: launchInfo, services })
    }
    const usageReply = async () => ({
      type: 'reply' as const,
      id: 1,
      op: 'usage' as const,
      body: (await echoHandlers().usage({}, [], { clockHintMs: 0 })).body,
    })

    test.each<[string, (channel: Channel) => void]>([
      ['garbage', (channel) => channel.send({ control: Uint8Array.of(1, 2, 3), payloads: [] })],
      [
        'an unknown error code',
        (channel) =>
          channel.send({
            control: encodeCbor({ type: 'failed', id: 1, op: 'usage', failure: { code: 'ENCLAVE_MADE_UP' } }),
            payloads: [],
          }),
      ],
      [
        'text in place of a field',
        (channel) =>
          channel.send({
            control: encodeCbor({
              type: 'failed',
              id: 1,
              op: 'usage',
              failure: { code: 'ENCLAVE_INTERNAL', field: 'the input was 7' },
            }),
            payloads: [],
          }),
      ],
      [
        'the answer to another request',
        (channel) =>
          channel.send(
            encodeMessage(
              { type: 'reply', id: 1, op: 'load', body: { capsuleId: zero32, headerHash: zero32 } },
              'enclave',
            ),
          ),
      ],
      [
        'two calls at once',
        (channel) => {
          const call = (id: number) =>
            encodeMessage({ type: 'call', id, op: 'readRecord', body: { slot: 'license' } }, 'enclave')
          channel.send(call(1))
          channel.send(call(2))
        },
      ],
    ])('that sends %s is left', async (_, send) => {
      const handle = hostileEnclave(send)
      await expect(handle.usage()).rejects.toMatchObject({ code: 'BRIDGE_PROTOCOL_VIOLATION' })
      expect((await handle.closed).code).toBe('BRIDGE_PROTOCOL_VIOLATION')
    })

    test('that answers twice is left', async () => {
      const reply = encodeMessage(await usageReply(), 'enclave')
      const handle = hostileEnclave((channel) => {
        channel.send(reply)
        channel.send(reply)
      })
      await handle.usage()
      expect((await handle.closed).code).toBe('BRIDGE_PROTOCOL_VIOLATION')
    })

    test('that floods the host with events is left', async () => {
      const event = encodeMessage({ type: 'event', code: 'weights-progress', numbers: [1] }, 'enclave')
      const handle = hostileEnclave((channel) => {
        for (let i = 0; i <= bridgeLimits.eventsPerRequestMaxCount; i++) channel.send(event)
      })
      await expect(handle.usage()).rejects.toMatchObject({ code: 'BRIDGE_PROTOCOL_VIOLATION' })
    })
  })
}

for (const transport of transports) {
  const reason = transport.missing
  describe.skipIf(reason !== null)(`${transport.name}${reason === null ? '' : ` (skipped: ${reason})`}`, () =>
    suite(transport),
  )
}
