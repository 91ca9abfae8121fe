// SPDX-License-Identifier: Apache-2.0
import { BridgeError } from '../errors.ts'
import type { CallBody, CallOp, CallReply } from '../protocol/calls.ts'
import type { Channel, Frame } from '../protocol/channel.ts'
import { decodeHostMessage, encodeMessage, type HostMessage, type Received } from '../protocol/envelope.ts'
import { toFailure } from '../protocol/failures.ts'
import { bridgeLimits } from '../protocol/limits.ts'
import type { RequestOp } from '../protocol/requests.ts'
import type { EventCode } from '../protocol/words.ts'
import type { EnclaveHandlers, RequestContext } from './handlers.ts'

/** What the enclave reaches through the door. Everything that comes back is the host's word and no more. */
export interface DoorCalls {
  /** @throws BridgeError `BRIDGE_CALL_FAILED`, `BRIDGE_CLOSED` */
  call<Op extends CallOp>(
    op: Op,
    body: CallBody<Op>,
    payloads?: readonly Uint8Array[],
  ): Promise<{ readonly body: CallReply<Op>; readonly payloads: readonly Uint8Array[] }>
  /** Tells the host something. Never waits. */
  emit(code: EventCode, numbers?: readonly number[]): void
}

interface PendingCall {
  readonly id: number
  readonly op: CallOp
  resolve(answer: { body: unknown; payloads: readonly Uint8Array[] }): void
  reject(error: BridgeError): void
}

/**
 * The enclave's end of the channel: one lane. A request that comes while another is being served (during a call to the
 * host, say) is refused; anything that the protocol does not allow closes the door and stops the enclave. Errors leave as
 * a code, a field of a fixed list and small integers, and nothing is ever thrown across.
 * @see spec/bridge-protocol.md §3
 */
export class Door implements DoorCalls {
  readonly #channel: Channel
  #handlers: EnclaveHandlers | undefined
  #serving: boolean = false
  #closed: boolean = false
  #lastCallId: number = 0
  #pendingCall: PendingCall | undefined
  #eventCount: number = 0

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** Starts to serve. `handlers.stop` is called once, when the door is closed for whatever reason. */
  serve(handlers: EnclaveHandlers): void {
    this.#handlers = handlers
    this.#channel.listen({
      onFrame: (frame) => this.#onFrame(frame),
      onClose: () => this.#stop(),
    })
  }

  async call<Op extends CallOp>(
    op: Op,
    body: CallBody<Op>,
    payloads: readonly Uint8Array[] = [],
  ): Promise<{ readonly body: CallReply<Op>; readonly payloads: readonly Uint8Array[] }> {
    if (this.#closed) throw new BridgeError('BRIDGE_CLOSED', 'the door is closed')
    if (this.#pendingCall !== undefined) {
      throw new BridgeError('BRIDGE_CALL_FAILED', 'another call is under way')
    }
    const id = (this.#lastCallId % 0xffff_ffff) + 1
    const frame = encodeMessage({ type: 'call', id, op, body }, 'enclave', payloads)
    this.#lastCallId = id
    const { promise, resolve, reject } = Promise.withResolvers<{
      body: unknown
      payloads: readonly Uint8Array[]
    }>()
    this.#pendingCall = { id, op, resolve, reject }
    this.#transmit(frame)
    return (await promise) as { body: CallReply<Op>; payloads: readonly Uint8Array[] }
  }

  emit(code: EventCode, numbers: readonly number[] = []): void {
    if (this.#closed || this.#eventCount >= bridgeLimits.eventsPerRequestMaxCount) return
    this.#eventCount++
    this.#transmit(encodeMessage({ type: 'event', code, numbers: [...numbers] }, 'enclave'))
  }

  /** A channel that does not take a frame is gone. */
  #transmit(frame: Frame): void {
    if (this.#closed) return
    try {
      this.#channel.send(frame)
    } catch {
      this.#stop()
    }
  }

  #onFrame(frame: Frame): void {
    if (this.#closed) return
    let received: Received<HostMessage>
    try {
      received = decodeHostMessage(frame)
    } catch {
      this.#stop()
      return
    }
    const { message, payloads } = received
    if (message.type === 'request') void this.#serve(message, payloads)
    else this.#settleCall(message, payloads)
  }

  #settleCall(message: Exclude<HostMessage, { type: 'request' }>, payloads: readonly Uint8Array[]): void {
    const pending = this.#pendingCall
    // An answer that nobody waits for, or a second one: the host does not keep to the protocol.
    if (pending === undefined || pending.id !== message.id || pending.op !== message.op) {
      this.#stop()
      return
    }
    this.#pendingCall = undefined
    if (message.type === 'reply') pending.resolve({ body: message.body, payloads })
    else pending.reject(new BridgeError('BRIDGE_CALL_FAILED', 'the host could not do it'))
  }

  async #serve(
    message: Extract<HostMessage, { type: 'request' }>,
    payloads: readonly Uint8Array[],
  ): Promise<void> {
    const { id, op } = message
    const refusal = (error: unknown) =>
      encodeMessage({ type: 'failed', id, op, failure: toFailure(error) }, 'enclave')
    if (this.#serving) {
      this.#transmit(refusal(new BridgeError('ENCLAVE_BUSY', 'another request is being served')))
      return
    }
    this.#serving = true
    this.#eventCount = 0
    let frame: Frame
    try {
      const { body, payloads: own } = await this.#handle(op, message.body, payloads, {
        clockHintMs: message.nowMs,
      })
      frame = encodeMessage({ type: 'reply', id, op, body }, 'enclave', own)
    } catch (error) {
      frame = refusal(error)
    }
    this.#serving = false
    this.#transmit(frame)
    // Inputs alone are large in every request, and wiped by now.
    if (op === 'infer') this.#channel.reuse?.(payloads)
  }

  #handle(op: RequestOp, body: unknown, payloads: readonly Uint8Array[], context: RequestContext) {
    const handlers = this.#handlers as unknown as Record<
      RequestOp,
      (
        body: unknown,
        payloads: readonly Uint8Array[],
        context: RequestContext,
      ) => Promise<{ body: unknown; payloads?: readonly Uint8Array[] }>
    >
    return handlers[op](body, payloads, context)
  }

  #stop(): void {
    if (this.#closed) return
    this.#closed = true
    this.#pendingCall?.reject(new BridgeError('BRIDGE_CLOSED', 'the door was closed during the call'))
    this.#pendingCall = undefined
    this.#channel.close()
    this.#handlers?.stop()
  }
}
