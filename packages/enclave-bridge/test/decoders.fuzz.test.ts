// SPDX-License-Identifier: Apache-2.0
import { encodeCbor } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BridgeError } from '../src/errors.ts'
import type { Frame } from '../src/protocol/channel.ts'
import {
  decodeEnclaveMessage,
  decodeHostMessage,
  type EnclaveMessage,
  encodeMessage,
  type HostMessage,
} from '../src/protocol/envelope.ts'
import { FrameAssembler } from '../src/transports/frame-assembler.ts'
import { encodeRecord, RecordReader, type StreamRecord } from '../src/transports/records.ts'
import { RingReader } from '../src/transports/ring.ts'
import { zero32 } from './fake-enclave.ts'

/** Long runs: over a million inputs in all with SLOW=1. */
const numRuns = process.env.SLOW === '1' ? 250_000 : 2_000

const record: fc.Arbitrary<StreamRecord> = fc.oneof(
  fc.record({
    type: fc.constant('begin' as const),
    payloadSizesBytes: fc.array(fc.nat({ max: 200 }), { maxLength: 5 }),
    control: fc.uint8Array({ maxLength: 50 }),
  }),
  fc.record({
    type: fc.constant('ring' as const),
    offsetBytes: fc.oneof(fc.nat({ max: 256 }), fc.nat({ max: 0xffff_ffff })),
    sizeBytes: fc.oneof(fc.nat({ max: 256 }), fc.nat({ max: 0xffff_ffff })),
  }),
  fc.record({ type: fc.constant('inline' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }) }),
  fc.record({ type: fc.constant('credit' as const), sizeBytes: fc.nat({ max: 0xffff_ffff }) }),
)

interface Mutation {
  readonly at: number
  readonly value: number
}
const mutations = fc.array(fc.record({ at: fc.nat(), value: fc.nat({ max: 255 }) }), { maxLength: 4 })

function mutate(bytes: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  const mutated = bytes.slice()
  for (const { at, value } of changes) if (mutated.length > 0) mutated[at % mutated.length] = value
  return mutated
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}

/** Cuts bytes into chunks of the given sizes, over and over. */
function chunksOf(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

const chunkSizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 5 })

/** Runs code that may refuse, but only with our own code. */
function refusesOnlyBy(code: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(BridgeError)
    expect((error as BridgeError).code).toBe(code)
  }
}

describe('records of a stream', () => {
  test('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 6 }), chunkSizes, (records, sizes) => {
        const found: StreamRecord[] = []
        const reader = new RecordReader((it) => found.push(it))
        for (const chunk of chunksOf(concat(records.map(encodeRecord)), sizes)) reader.push(chunk)
        expect(found).toEqual(records)
        expect(reader.isBetweenRecords).toBe(true)
      }),
      { numRuns: Math.min(numRuns, 50_000) },
    )
  })

  test('changed bytes give records or a violation, and never a frame larger than announced', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 6 }), mutations, chunkSizes, (records, changes, sizes) => {
        const bytes = mutate(concat(records.map(encodeRecord)), changes)
        const frames: Frame[] = []
        const ring = new RingReader(new Uint8Array(256))
        const assembler = new FrameAssembler(
          ring,
          (frame) => frames.push(frame),
          () => undefined,
        )
        const reader = new RecordReader((it) => {
          if (it.type !== 'credit') assembler.accept(it)
        })
        refusesOnlyBy('BRIDGE_PROTOCOL_VIOLATION', () => {
          for (const chunk of chunksOf(bytes, sizes)) reader.push(chunk)
        })
        const carried = frames.flatMap((it) => it.payloads).reduce((sum, it) => sum + it.length, 0)
        expect(carried).toBeLessThanOrEqual(200 * 5 * 6 + 256 * 256)
      }),
      { numRuns },
    )
  })

  test('bytes of any kind give records or a violation', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), chunkSizes, (bytes, sizes) => {
        const reader = new RecordReader(() => undefined)
        refusesOnlyBy('BRIDGE_PROTOCOL_VIOLATION', () => {
          for (const chunk of chunksOf(bytes, sizes)) reader.push(chunk)
        })
      }),
      { numRuns },
    )
  })
})

const usage = {
  ledgerId: zero32,
  licenseHash: zero32,
  grantUnits: 20,
  unitsSpent: 3,
  unitsLeft: 17,
  queryCount: 3,
  uncleanCount: 0,
  block: 1,
  strictUnits: 0,
  head: zero32,
}
const tensor = { name: 'image', dtype: 'float32' as const, shape: [1, 4] }
const hostMessages: readonly HostMessage[] = [
  { type: 'request', id: 1, op: 'hello', nowMs: 1_700_000_000_000, body: { versions: [1] } },
  { type: 'request', id: 2, op: 'load', nowMs: 0, body: {} },
  { type: 'request', id: 3, op: 'beginActivation', nowMs: 0, body: { challenge: 'a.b.c', flow: 'online' } },
  { type: 'request', id: 4, op: 'infer', nowMs: 0, body: { inputs: [tensor], retryId: new Uint8Array(16) } },
  {
    type: 'request',
    id: 7,
    op: 'infer',
    nowMs: 0,
    body: { inputs: [tensor], retryId: new Uint8Array(16), sequence: { id: 3, step: 12 } },
  },
  { type: 'request', id: 8, op: 'openSequence', nowMs: 0, body: {} },
  { type: 'request', id: 9, op: 'closeSequence', nowMs: 0, body: { id: 4_294_967_295 } },
  { type: 'reply', id: 5, op: 'readAnchor', body: { digest: zero32 } },
  { type: 'failed', id: 6, op: 'readPages' },
]
const enclaveMessages: readonly EnclaveMessage[] = [
  { type: 'reply', id: 1, op: 'usage', body: usage },
  {
    type: 'reply',
    id: 2,
    op: 'infer',
    body: {
      verdict: 'perturb',
      outputs: [tensor],
      units: 1,
      unitsLeft: 9,
      log: [new Uint8Array(90), 'a.b.c'],
    },
  },
  { type: 'reply', id: 8, op: 'openSequence', body: { id: 1 } },
  { type: 'reply', id: 9, op: 'closeSequence', body: {} },
  { type: 'failed', id: 3, op: 'infer', failure: { code: 'LICENSE_QUOTA_EXHAUSTED', numbers: [1, 2] } },
  { type: 'call', id: 4, op: 'readPages', body: { blob: 'weights', first: 9, count: 4 } },
  { type: 'event', code: 'weights-progress', numbers: [1, 9] },
]

const anyFrame = fc.record({
  control: fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc
      .tuple(fc.constantFrom(...hostMessages, ...enclaveMessages), mutations)
      .map(([message, changes]) => mutate(encodeCbor(message), changes)),
    fc
      .tuple(fc.constantFrom(...hostMessages, ...enclaveMessages), fc.string(), fc.anything({ maxDepth: 2 }))
      .map(([message, key, value]) => {
        try {
          return encodeCbor({ ...message, [key]: value })
        } catch {
          return encodeCbor({ ...message, [key]: null })
        }
      }),
  ),
  payloads: fc.array(fc.constant(new Uint8Array(3)), { maxLength: 3 }),
})

describe('messages', () => {
  test('what passes on one side passes on the other, unchanged', () => {
    for (const message of hostMessages) {
      const payloadCount = message.op === 'load' || message.op === 'infer' ? 1 : 0
      const payloads = Array.from({ length: payloadCount }, () => new Uint8Array(16))
      expect(decodeHostMessage(encodeMessage(message, 'host', payloads)).message).toEqual(message)
    }
    for (const message of enclaveMessages) {
      const payloads = message.type === 'reply' && message.op === 'infer' ? [new Uint8Array(16)] : []
      expect(decodeEnclaveMessage(encodeMessage(message, 'enclave', payloads)).message).toEqual(message)
    }
  })

  test.each([
    ['host', decodeHostMessage],
    ['enclave', decodeEnclaveMessage],
  ] as const)('any frame from the %s is a message that encodes to itself, or a violation', (side, decode) => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        refusesOnlyBy('BRIDGE_PROTOCOL_VIOLATION', () => {
          const { message, payloads } = decode(frame)
          const again = encodeMessage(message as HostMessage, side, payloads)
          expect(Buffer.compare(again.control, frame.control)).toBe(0)
        })
      }),
      { numRuns },
    )
  })

  test('a message that breaks its own schema is refused where it is made, naming the field', () => {
    const bad: HostMessage = { type: 'request', id: 1, op: 'hello', nowMs: 0, body: { versions: [] } }
    expect(() => encodeMessage(bad, 'host')).toThrow(
      expect.objectContaining({ code: 'BRIDGE_MESSAGE_INVALID', field: 'versions' }),
    )
  })
})
