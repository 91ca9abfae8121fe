// SPDX-License-Identifier: Apache-2.0
import { dtypes } from '@mlcapsule/contracts'
import { decodeCbor, encodeCbor } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { messageSchemas } from './envelope.ts'
import { bridgeLimits } from './limits.ts'
import { isPlainInferBody, isPlainInferMessage, isPlainInferReply } from './plain-infer.ts'
import { requestSchemas } from './requests.ts'
import { verdicts } from './words.ts'

const numRuns = process.env.SLOW === '1' ? 200_000 : 4_000

/** As it comes out of a control message. */
const crossed = (value: unknown) => decodeCbor(encodeCbor(value), { maxSizeBytes: 1_000_000 })

const integer = fc.oneof(
  fc.nat({ max: 40 }),
  fc.constantFrom<number | bigint>(-1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2n ** 53n),
)
const anything = fc.oneof(
  integer,
  fc.string({ maxLength: 3 }),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 4 }),
  fc.array(fc.nat(), { maxLength: 2 }),
  fc.constant(new Map([[1, 2]])),
  fc.dictionary(fc.string({ maxLength: 2 }), fc.nat(), { maxKeys: 2 }),
)
const text = (lengths: readonly number[]) => fc.constantFrom(...lengths).map((length) => 'a'.repeat(length))
const bytes = (...sizesBytes: readonly number[]) =>
  fc.constantFrom(...sizesBytes).map((sizeBytes) => new Uint8Array(sizeBytes))

const descriptor = fc.record({
  name: text([1, bridgeLimits.tensorNameMaxLength]),
  dtype: fc.constantFrom(...dtypes),
  shape: fc.array(fc.nat({ max: 2 ** 31 - 1 }), { maxLength: bridgeLimits.tensorMaxRank }),
})
const body = fc.record(
  {
    inputs: fc.array(descriptor, { maxLength: 3 }),
    retryId: bytes(16),
    sequence: fc.record({ id: fc.integer({ min: 1, max: 2 ** 32 - 1 }), step: fc.maxSafeNat() }),
  },
  { requiredKeys: ['inputs'] },
)
const reply = fc.record({
  verdict: fc.constantFrom(...verdicts),
  outputs: fc.array(descriptor, { maxLength: 3 }),
  units: fc.maxSafeNat(),
  unitsLeft: fc.maxSafeNat(),
  log: fc.array(bytes(0, bridgeLimits.receiptMaxSizeBytes), { maxLength: 3 }),
})
const id = fc.integer({ min: 1, max: 2 ** 32 - 1 })
const messages = {
  host: fc.record({
    type: fc.constant('request'),
    op: fc.constant('infer'),
    id,
    nowMs: fc.maxSafeNat(),
    body,
  }),
  enclave: fc.record({ type: fc.constant('reply'), op: fc.constant('infer'), id, body: reply }),
}

/** One place in a value, wherever it is, gets something else, one more member, or one less. */
interface Change {
  readonly at: number
  readonly kind: 'replace' | 'add' | 'remove' | 'lengthen'
  readonly value: unknown
}
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('replace', 'add', 'remove', 'lengthen'),
  value: fc.oneof(anything, text([0, 257]), bytes(15, 17, 257)),
})

/** All objects and lists in a value. */
function partsOf(value: unknown): (unknown[] | Record<string, unknown>)[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return [value as Record<string, unknown>, ...Object.values(value).flatMap(partsOf)]
}

function changed(original: unknown, { at, kind, value: other }: Change): unknown {
  const value: unknown = structuredClone(original)
  const parts = partsOf(value)
  const part = parts[at % parts.length]
  if (part === undefined) return value
  if (Array.isArray(part)) {
    if (kind === 'remove') part.pop()
    else if (kind === 'lengthen') for (let i = 0; i < 65; i++) part.push(part[0] ?? 1)
    else part[part.length === 0 || kind === 'add' ? part.length : at % part.length] = other
    return value
  }
  const keys = Object.keys(part)
  const key = keys[at % keys.length] ?? ''
  if (kind === 'remove') delete part[key]
  else part[kind === 'replace' ? key : `${key}x`] = other
  return value
}

/** What only the schema accepts. */
const hasClosing = (value: unknown): boolean =>
  partsOf(value).some((it) => Array.isArray(it) && it.some(isText))
const isText = (value: unknown) => typeof value === 'string'

const cases = [
  ['body', body, isPlainInferBody, requestSchemas.infer.body],
  ['reply', reply, isPlainInferReply, requestSchemas.infer.reply],
] as const

test.each(cases)('accepts each %s of the schema, and nothing else', (_, valid, isPlain, schema) => {
  const agree = (value: unknown) => {
    const found = crossed(value)
    const parsed = z.safeParse(schema, found)
    expect(isPlain(found)).toBe(parsed.success && !hasClosing(found))
    if (parsed.success) expect(parsed.data).toEqual(found)
  }
  fc.assert(fc.property(valid, agree), { numRuns: numRuns / 4 })
  fc.assert(
    fc.property(valid, fc.array(change, { minLength: 1, maxLength: 2 }), (value, changes) => {
      agree(changes.reduce(changed, value))
    }),
    { numRuns },
  )
  fc.assert(fc.property(anything, agree), { numRuns: numRuns / 4 })
})

test.each(['host', 'enclave'] as const)('accepts each message of the %s that the schemas do', (from) => {
  const bodySchema = from === 'host' ? requestSchemas.infer.body : requestSchemas.infer.reply
  const isRight = (found: unknown) => {
    const message = z.safeParse(messageSchemas[from], found)
    if (!message.success) return false
    const { type, op, body: inner } = message.data as Record<string, unknown>
    if (op !== 'infer' || type !== (from === 'host' ? 'request' : 'reply')) return false
    return z.safeParse(bodySchema, inner).success
  }
  fc.assert(
    fc.property(
      messages[from] as fc.Arbitrary<unknown>,
      fc.array(change, { maxLength: 2 }),
      (value, changes) => {
        const found = crossed(changes.reduce(changed, value))
        expect(isPlainInferMessage(found, from)).toBe(isRight(found) && !hasClosing(found))
      },
    ),
    { numRuns },
  )
})

test('leaves a log with a closing to the schema', () => {
  const log = [new Uint8Array(3), 'a.b.c']
  const found = { verdict: 'pass', outputs: [], units: 1, unitsLeft: 1, log }
  expect(z.safeParse(requestSchemas.infer.reply, found).success).toBe(true)
  expect(isPlainInferReply(found)).toBe(false)
  expect(isPlainInferReply({ ...found, log: [log[0]] })).toBe(true)
})

test('leaves members that are named but undefined, and objects of a class, to the schema', () => {
  const inputs = [{ name: 'x', dtype: 'float32', shape: [1] }]
  expect(isPlainInferBody({ inputs })).toBe(true)
  expect(isPlainInferBody({ inputs, retryId: undefined })).toBe(false)
  expect(isPlainInferBody(Object.assign(Object.create({ hidden: 1 }) as object, { inputs }))).toBe(false)
})
