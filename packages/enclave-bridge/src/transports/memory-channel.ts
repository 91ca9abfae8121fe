// SPDX-License-Identifier: Apache-2.0
import { copyBytes } from '@mlcapsule/contracts'
import { BridgeError } from '../errors.ts'
import type { Channel, ChannelListener, Frame } from '../protocol/channel.ts'
import { assertPayloads } from '../protocol/envelope.ts'

class MemoryChannel implements Channel {
  peer: MemoryChannel | undefined
  #listener: ChannelListener | undefined
  #early: Frame[] = []
  #closed: boolean = false

  send(frame: Frame): void {
    if (this.#closed) throw new BridgeError('BRIDGE_CLOSED', 'the channel is closed')
    assertPayloads(frame.payloads)
    const copy = { control: copyBytes(frame.control), payloads: frame.payloads.map((it) => copyBytes(it)) }
    queueMicrotask(() => this.peer?.deliver(copy))
  }

  deliver(frame: Frame): void {
    if (this.#closed) return
    if (this.#listener === undefined) this.#early.push(frame)
    else this.#listener.onFrame(frame)
  }

  listen(listener: ChannelListener): void {
    this.#listener = listener
    for (const frame of this.#early.splice(0)) this.deliver(frame)
  }

  close(): void {
    this.closeWith(undefined)
    this.peer?.closeWith(undefined)
  }

  closeWith(error: BridgeError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    queueMicrotask(() => this.#listener?.onClose(error))
  }
}

/** Two ends in one thread, for tests: same copies, same order, no isolation whatsoever. */
export function memoryChannelPair(): readonly [Channel, Channel] {
  const left = new MemoryChannel()
  const right = new MemoryChannel()
  left.peer = right
  right.peer = left
  return [left, right]
}
