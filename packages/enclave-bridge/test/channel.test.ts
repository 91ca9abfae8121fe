// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BridgeError } from '../src/errors.ts'
import type { Channel, Frame } from '../src/protocol/channel.ts'
import { bridgeLimits } from '../src/protocol/limits.ts'
import { type TransportUnderTest, testRingSizeBytes, transports } from './transports.ts'

const slow = process.env.SLOW === '1'

/** Collects what arrives. */
function collect(channel: Channel) {
  const frames: Frame[] = []
  const waiting: { readonly count: number; resolve(): void }[] = []
  const closed = Promise.withResolvers<BridgeError | undefined>()
  channel.listen({
    onFrame(frame) {
      frames.push(frame)
      for (const it of waiting) if (frames.length >= it.count) it.resolve()
    },
    onClose: closed.resolve,
  })
  const arrival = (count: number) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (frames.length >= count) resolve()
    else waiting.push({ count, resolve })
    return promise
  }
  return { frames, arrival, closed: closed.promise }
}

function bytes(sizeBytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff)
}

/** Sizes and seeds of payloads, so that a counterexample can be read. */
const planArbitrary = fc.record({
  control: fc.uint8Array({ maxLength: 64 }),
  payloads: fc.array(
    fc.tuple(
      fc.oneof(fc.nat({ max: 40 }), fc.integer({ min: 8_000, max: 3 * testRingSizeBytes })),
      fc.nat({ max: 255 }),
    ),
    { maxLength: 4 },
  ),
})

function suite(transport: TransportUnderTest): void {
  test('memory that is given back takes later frames, and holds what was sent', async () => {
    const [host, enclave] = transport.connect()
    // Of its frames there are none, but credit for the ring comes to it.
    collect(host)
    const { frames, arrival } = collect(enclave)
    const sizesBytes = [[20_000, 0, 30], [20_000, 0, 30], [20_001], [20_000]]
    for (const [index, sizes] of sizesBytes.entries()) {
      host.send({ control: Uint8Array.of(index), payloads: sizes.map((it) => bytes(it, index)) })
      await arrival(index + 1)
      const { payloads } = frames[index] as Frame
      expect(payloads).toEqual(sizes.map((it) => bytes(it, index)))
      for (const it of payloads) it.fill(0)
      enclave.reuse?.(payloads)
    }
    host.close()
  })

  test('carries frames in both directions, whole, in order, and as copies', async () => {
    const property = fc.asyncProperty(
      fc.array(planArbitrary, { minLength: 1, maxLength: 6 }),
      async (plan) => {
        const sent = plan.map(({ control, payloads }) => ({
          control,
          payloads: payloads.map(([sizeBytes, seed]) => bytes(sizeBytes, seed)),
        }))

        const [host, enclave] = transport.connect()
        const left = collect(host)
        const right = collect(enclave)
        const own = sent.map(({ control, payloads }) => ({
          control: control.slice(),
          payloads: payloads.map((it) => it.slice()),
        }))
        for (const frame of own) {
          host.send(frame)
          enclave.send(frame)
          // A sender that goes on to use its buffers must not change what arrives.
          for (const it of [frame.control, ...frame.payloads]) it.fill(0xee)
        }
        await Promise.all([left.arrival(sent.length), right.arrival(sent.length)])
        for (const { frames } of [left, right]) {
          expect(frames.map((it) => [...it.control])).toEqual(sent.map((it) => [...it.control]))
          for (const [index, frame] of frames.entries()) {
            const expected = sent[index]?.payloads ?? []
            expect(frame.payloads.length).toBe(expected.length)
            for (const [at, payload] of frame.payloads.entries()) {
              expect(Buffer.compare(payload, expected[at] as Uint8Array)).toBe(0)
            }
          }
        }
        host.close()
        await right.closed
      },
    )
    await fc.assert(property, { numRuns: slow ? 2_000 : 25 })
  })

  test('a close at one end is seen at both, without an error', async () => {
    const [host, enclave] = transport.connect()
    const left = collect(host)
    const right = collect(enclave)
    enclave.close()
    expect(await left.closed).toBeUndefined()
    expect(await right.closed).toBeUndefined()
    expect(() => enclave.send({ control: new Uint8Array(1), payloads: [] })).toThrow(
      expect.objectContaining({ code: 'BRIDGE_CLOSED' }),
    )
    host.close()
  })

  test('refuses to send more payloads, or larger ones, than the protocol allows', () => {
    const [host, enclave] = transport.connect()
    const many = Array.from({ length: bridgeLimits.payloadMaxCount + 1 }, () => new Uint8Array(0))
    expect(() => host.send({ control: new Uint8Array(1), payloads: many })).toThrow(
      expect.objectContaining({ code: 'BRIDGE_LIMIT_EXCEEDED' }),
    )
    // A view that claims to be as large as it is costs no memory until it is read.
    const huge = new Uint8Array(bridgeLimits.payloadsMaxSizeBytes + 1)
    expect(() => host.send({ control: new Uint8Array(1), payloads: [huge] })).toThrow(
      expect.objectContaining({ code: 'BRIDGE_LIMIT_EXCEEDED' }),
    )
    host.close()
    enclave.close()
  })
}

for (const transport of transports) {
  const reason = transport.missing
  describe.skipIf(reason !== null)(`${transport.name}${reason === null ? '' : ` (skipped: ${reason})`}`, () =>
    suite(transport),
  )
}

test('a stream reuses just the memory that was given back last', async () => {
  const stream = transports.find(({ name }) => name === 'stream') as TransportUnderTest
  const [host, enclave] = stream.connect()
  const { frames, arrival } = collect(enclave)
  const memoryOf = async (count: number, sizeBytes: number) => {
    host.send({ control: new Uint8Array(1), payloads: [bytes(sizeBytes, count)] })
    await arrival(count)
    return frames[count - 1]?.payloads[0] as Uint8Array
  }
  const first = await memoryOf(1, 10_000)
  const second = await memoryOf(2, 10_000)
  expect(second.buffer).not.toBe(first.buffer)
  enclave.reuse?.([first])
  enclave.reuse?.([second])
  expect((await memoryOf(3, 9_999)).length).toBe(9_999)
  const fourth = await memoryOf(4, 10_000)
  expect(fourth.buffer).toBe(second.buffer)
  expect((await memoryOf(5, 10_000)).buffer).not.toBe(fourth.buffer)
  host.close()
})
