// SPDX-License-Identifier: Apache-2.0
import { BridgeError } from '../errors.ts'
import type { CallBody, CallOp } from '../protocol/calls.ts'
import type { Channel, Frame } from '../protocol/channel.ts'
import {
  decodeEnclaveMessage,
  type EnclaveMessage,
  encodeMessage,
  type HostMessage,
} from '../protocol/envelope.ts'
import { fromFailure } from '../protocol/failures.ts'
import { bridgeLimits } from '../protocol/limits.ts'
import type { ReplyBody, RequestBody, RequestOp } from '../protocol/requests.ts'
import type { EventCode } from '../protocol/words.ts'

export interface Reply<Op extends RequestOp> {
  readonly body: ReplyBody<Op>
  readonly payloads: readonly Uint8Array[]
}

export interface CallAnswer {
  readonly body: unknown
  readonly payloads?: readonly Uint8Array[]
}

export interface ConnectionOptions {
  /** Serves one call of the enclave. What it throws stays on this side. */
  readonly onCall: (
    op: CallOp,
    body: CallBody<CallOp>,
    payloads: readonly Uint8Array[],
  ) => Promise<CallAnswer>
  readonly onEvent: (code: EventCode, numbers: readonly number[]) => void
  /** Called once, when the enclave is gone. */
  readonly onClosed: (error: BridgeError) => void
  readonly now: () => number
}

interface Outstanding {
  readonly id: number
  readonly op: RequestOp
  resolve(reply: { body: unknown; payloads: readonly Uint8Array[] }): void
  reject(error: unknown): void
}

/** The host's end of the channel: one request at a time, and the enclave's calls while it is served. */
export class Connection {
  readonly #channel: Channel
  readonly #options: ConnectionOptions
  #outstanding: Outstanding | undefined
  #closedBy: BridgeError | undefined
  #lastId: number = 0
  #eventCount: number = 0
  #callUnderWay: boolean = false
  /** Why the last call of the enclave failed here; it explains what the enclave then answers. */
  #callError: unknown

  constructor(channel: Channel, options: ConnectionOptions) {
    this.#channel = channel
    this.#options = options
    channel.listen({
      onFrame: (frame) => this.#onFrame(frame),
      onClose: (error) => this.#end(died(error)),
    })
  }

  /** @throws EnclaveError for what the enclave refuses; BridgeError `ENCLAVE_DIED`, `BRIDGE_*` */
  async request<Op extends RequestOp>(
    op: Op,
    body: RequestBody<Op>,
    payloads: readonly Uint8Array[] = [],
    transfer: boolean = false,
  ): Promise<Reply<Op>> {
    if (this.#closedBy !== undefined) throw this.#closedBy
    const id = (this.#lastId % 0xffff_ffff) + 1
    const nowMs = Math.max(0, Math.floor(this.#options.now()))
    const frame = encodeMessage({ type: 'request', id, op, nowMs, body }, 'host', payloads)
    this.#lastId = id
    this.#eventCount = 0
    this.#callError = undefined
    const { promise, resolve, reject } = Promise.withResolvers<{
      body: unknown
      payloads: readonly Uint8Array[]
    }>()
    this.#outstanding = { id, op, resolve, reject }
    this.#channel.send(frame, { transfer })
    return (await promise) as Reply<Op>
  }

  /** Ends the channel; whoever waits gets `error`. */
  close(error: BridgeError = new BridgeError('BRIDGE_CLOSED', 'the door was closed')): void {
    this.#end(error)
  }

  #end(error: BridgeError): void {
    if (this.#closedBy !== undefined) return
    this.#closedBy = error
    this.#channel.close()
    this.#outstanding?.reject(error)
    this.#outstanding = undefined
    this.#options.onClosed(error)
  }

  #violation(detail: string): void {
    this.#end(new BridgeError('BRIDGE_PROTOCOL_VIOLATION', detail))
  }

  #onFrame(frame: Frame): void {
    if (this.#closedBy !== undefined) return
    try {
      const { message, payloads } = decodeEnclaveMessage(frame)
      if (message.type === 'event') this.#onEvent(message.code, message.numbers)
      else if (message.type === 'call') this.#onCall(message, payloads)
      else this.#onAnswer(message, payloads)
    } catch (error) {
      this.#end(error instanceof BridgeError ? error : died(undefined))
    }
  }

  #onEvent(code: EventCode, numbers: readonly number[]): void {
    if (this.#eventCount++ >= bridgeLimits.eventsPerRequestMaxCount) {
      this.#violation('the enclave raised too many events during one request')
      return
    }
    // Not from within here: what a listener throws is no fault of the enclave, and must not end it.
    queueMicrotask(() => this.#options.onEvent(code, numbers))
  }

  #onAnswer(
    message: Extract<EnclaveMessage, { type: 'reply' | 'failed' }>,
    payloads: readonly Uint8Array[],
  ): void {
    const waiting = this.#outstanding
    if (
      waiting === undefined ||
      waiting.id !== message.id ||
      waiting.op !== message.op ||
      this.#callUnderWay
    ) {
      this.#violation('the enclave answered a request that nobody waits for')
      return
    }
    this.#outstanding = undefined
    if (message.type === 'reply') waiting.resolve({ body: message.body, payloads })
    else waiting.reject(fromFailure(message.failure, this.#callError))
  }

  #onCall(message: Extract<EnclaveMessage, { type: 'call' }>, payloads: readonly Uint8Array[]): void {
    if (this.#outstanding === undefined || this.#callUnderWay) {
      this.#violation('the enclave called the host outside of a request, or twice at once')
      return
    }
    this.#callUnderWay = true
    const { id, op } = message
    this.#options
      .onCall(op, message.body as CallBody<CallOp>, payloads)
      .then((answer) => this.#answerCall({ type: 'reply', id, op, body: answer.body }, answer.payloads))
      .catch((error: unknown) => {
        this.#callError = error
        this.#answerCall({ type: 'failed', id, op })
      })
      // The channel broke meanwhile.
      .catch(() => this.#end(died(undefined)))
  }

  #answerCall(
    message: Extract<HostMessage, { type: 'reply' | 'failed' }>,
    payloads: readonly Uint8Array[] = [],
  ): void {
    if (this.#closedBy !== undefined) return
    const frame = encodeMessage(message, 'host', payloads)
    this.#callUnderWay = false
    this.#channel.send(frame)
  }
}

function died(cause: BridgeError | undefined): BridgeError {
  if (cause?.code === 'BRIDGE_PROTOCOL_VIOLATION') return cause
  return new BridgeError('ENCLAVE_DIED', 'the enclave closed its end of the door', { cause })
}
