// SPDX-License-Identifier: Apache-2.0
import { decodeCbor, encodeCbor } from '@mlcapsule/crypto'
import * as z from 'zod/mini'
import { BridgeError } from '../errors.ts'
import { type CallOp, callSchemas } from './calls.ts'
import type { Frame } from './channel.ts'
import type { Failure } from './failures.ts'
import { count, failure, noPayloads, type PayloadRule } from './fields.ts'
import { bridgeLimits } from './limits.ts'
import { isPlainInferBody, isPlainInferMessage, isPlainInferReply } from './plain-infer.ts'
import { type RequestOp, requestSchemas } from './requests.ts'
import { type EventCode, eventCodes } from './words.ts'

const requestOps = Object.keys(requestSchemas) as [RequestOp, ...RequestOp[]]
const callOps = Object.keys(callSchemas) as [CallOp, ...CallOp[]]

const id = z.int().check(z.minimum(1), z.maximum(4_294_967_295))

/** What the host sends. `reply` and `failed` answer a call of the enclave; a failed call says no more than that. */
const fromHost = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('request'), id, op: z.enum(requestOps), nowMs: count, body: z.unknown() }),
  z.strictObject({ type: z.literal('reply'), id, op: z.enum(callOps), body: z.unknown() }),
  z.strictObject({ type: z.literal('failed'), id, op: z.enum(callOps) }),
])

/** What the enclave sends. */
const fromEnclave = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('reply'), id, op: z.enum(requestOps), body: z.unknown() }),
  z.strictObject({ type: z.literal('failed'), id, op: z.enum(requestOps), failure }),
  z.strictObject({ type: z.literal('call'), id, op: z.enum(callOps), body: z.unknown() }),
  z.strictObject({
    type: z.literal('event'),
    code: z.enum(eventCodes),
    numbers: z.array(count).check(z.maxLength(4)),
  }),
])

/** By who sends; bodies are for the schema of their `op`. */
export const messageSchemas: Readonly<Record<'host' | 'enclave', z.ZodMiniType<unknown>>> = {
  host: fromHost,
  enclave: fromEnclave,
}

interface Numbered<Op> {
  readonly id: number
  readonly op: Op
}
interface WithBody {
  readonly body: unknown
}

export type HostMessage =
  | (Numbered<RequestOp> & WithBody & { readonly type: 'request'; readonly nowMs: number })
  | (Numbered<CallOp> & WithBody & { readonly type: 'reply' })
  | (Numbered<CallOp> & { readonly type: 'failed' })

export type EnclaveMessage =
  | (Numbered<RequestOp> & WithBody & { readonly type: 'reply' })
  | (Numbered<RequestOp> & { readonly type: 'failed'; readonly failure: Failure })
  | (Numbered<CallOp> & WithBody & { readonly type: 'call' })
  | { readonly type: 'event'; readonly code: EventCode; readonly numbers: readonly number[] }

/** A message that passed its schema, and the payloads whose number passed too. */
export interface Received<Message> {
  readonly message: Message
  readonly payloads: readonly Uint8Array[]
}

function violation(detail: string, cause?: unknown): BridgeError {
  return new BridgeError('BRIDGE_PROTOCOL_VIOLATION', detail, { cause })
}

/** Path of the first issue, made of our own schema's names. */
function pathOf(issues: readonly { readonly path: readonly PropertyKey[] }[]): string {
  return issues[0]?.path.map(String).join('.') || 'message'
}

function parse<Message>(schema: z.ZodMiniType<unknown>, value: unknown, what: string): Message {
  const result = z.safeParse(schema, value)
  if (!result.success)
    throw violation(`${what}: ${pathOf(result.error.issues)} is not what the protocol says`)
  return result.data as Message
}

interface Shape {
  readonly body: z.ZodMiniType<unknown>
  readonly payloads: PayloadRule
}

function shapeOf(message: HostMessage | EnclaveMessage, side: 'host' | 'enclave'): Shape | undefined {
  switch (message.type) {
    case 'request':
      return requestSchemas[message.op]
    case 'call':
      return callSchemas[message.op]
    case 'reply': {
      const { reply, replyPayloads } =
        side === 'host' ? callSchemas[message.op as CallOp] : requestSchemas[message.op as RequestOp]
      return { body: reply, payloads: replyPayloads }
    }
    default:
      return undefined
  }
}

/** Says what is wrong if other payloads come with a message than belong to it. */
function payloadFault(shape: Shape | undefined, payloads: readonly Uint8Array[]): string | undefined {
  const { min, max, maxSizeBytes } = shape?.payloads ?? noPayloads
  if (payloads.length < min || payloads.length > max) {
    return `payloads: expected ${min} to ${max}, got ${payloads.length}`
  }
  const tooLarge = payloads.find((it) => it.length > maxSizeBytes)
  return tooLarge && `payloads: expected at most ${maxSizeBytes} bytes each, got ${tooLarge.length}`
}

function decode<Message extends HostMessage | EnclaveMessage>(
  frame: Frame,
  side: 'host' | 'enclave',
): Received<Message> {
  let value: unknown
  try {
    value = decodeCbor(frame.control, { maxSizeBytes: bridgeLimits.controlMaxSizeBytes })
  } catch (cause) {
    throw violation('a control message is not deterministic CBOR within its limit', cause)
  }
  const isPlain = isPlainInferMessage(value, side)
  const message = isPlain ? (value as Message) : parse<Message>(messageSchemas[side], value, 'message')
  const shape = shapeOf(message, side)
  const fault = payloadFault(shape, frame.payloads)
  if (fault !== undefined) throw violation(fault)
  if (isPlain || shape === undefined) return { message, payloads: frame.payloads }
  const body = parse(shape.body, (message as unknown as WithBody).body, 'body')
  return { message: { ...message, body }, payloads: frame.payloads }
}

/** Reads what came from the host. @throws BridgeError `BRIDGE_PROTOCOL_VIOLATION` */
export function decodeHostMessage(frame: Frame): Received<HostMessage> {
  return decode(frame, 'host')
}

/** Reads what came from the enclave. @throws BridgeError `BRIDGE_PROTOCOL_VIOLATION` */
export function decodeEnclaveMessage(frame: Frame): Received<EnclaveMessage> {
  return decode(frame, 'enclave')
}

function isPlainInfer(message: HostMessage | EnclaveMessage): boolean {
  if (message.type === 'event' || message.op !== 'infer') return false
  return message.type === 'request'
    ? isPlainInferBody(message.body)
    : message.type === 'reply' && isPlainInferReply(message.body)
}

/**
 * Makes a frame, held to the same schema as on the other side, so that a mistake shows where it is made.
 * @throws BridgeError `BRIDGE_MESSAGE_INVALID`, `BRIDGE_LIMIT_EXCEEDED`
 */
export function encodeMessage(
  message: HostMessage | EnclaveMessage,
  side: 'host' | 'enclave',
  payloads: readonly Uint8Array[] = [],
): Frame {
  const shape = shapeOf(message, side)
  if (shape !== undefined && !isPlainInfer(message)) {
    const result = z.safeParse(shape.body, (message as unknown as WithBody).body)
    if (!result.success) {
      const field = pathOf(result.error.issues)
      throw new BridgeError('BRIDGE_MESSAGE_INVALID', `${field}: ${result.error.issues[0]?.message}`, {
        field,
      })
    }
  }
  const fault = payloadFault(shape, payloads)
  if (fault !== undefined) throw new BridgeError('BRIDGE_MESSAGE_INVALID', fault, { field: 'payloads' })
  const control = encodeCbor(message)
  if (control.length > bridgeLimits.controlMaxSizeBytes) {
    const detail = `a control message has at most ${bridgeLimits.controlMaxSizeBytes} bytes, got ${control.length}`
    throw new BridgeError('BRIDGE_LIMIT_EXCEEDED', detail)
  }
  assertPayloads(payloads)
  return { control, payloads }
}

/** Number and total size of a frame's payloads. @throws BridgeError `BRIDGE_LIMIT_EXCEEDED` */
export function assertPayloads(payloads: readonly { readonly length: number }[]): void {
  if (payloads.length > bridgeLimits.payloadMaxCount) {
    const detail = `a message has at most ${bridgeLimits.payloadMaxCount} payloads, got ${payloads.length}`
    throw new BridgeError('BRIDGE_LIMIT_EXCEEDED', detail, { field: 'payloads' })
  }
  const sizeBytes = payloads.reduce((sum, it) => sum + it.length, 0)
  if (sizeBytes > bridgeLimits.payloadsMaxSizeBytes) {
    const detail = `payloads have at most ${bridgeLimits.payloadsMaxSizeBytes} bytes together, got ${sizeBytes}`
    throw new BridgeError('BRIDGE_LIMIT_EXCEEDED', detail, { field: 'payloads' })
  }
}
