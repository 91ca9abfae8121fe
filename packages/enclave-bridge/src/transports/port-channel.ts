// SPDX-License-Identifier: Apache-2.0
import { copyBytes } from '@mlcapsule/contracts'
import { BridgeError } from '../errors.ts'
import type { Channel, ChannelListener, Frame, SendOptions } from '../protocol/channel.ts'
import { assertPayloads } from '../protocol/envelope.ts'
import { bridgeLimits } from '../protocol/limits.ts'

/** What the `MessagePort` of a browser and that of Node have in common. */
export interface PortLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'messageerror' | 'close', listener: () => void): void
  start(): void
  close(): void
}

/** Bytes in memory that no other thread can reach, with no more behind them than what counts toward the limits. */
function isPrivateBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && fillsItsBuffer(value)
}

/** Moving a smaller payload would take longer than cloning it. */
const moveMinSizeBytes = 16_384

/** A message is an array of byte strings: the control message, then the payloads. */
function readMessage(data: unknown): Frame | undefined {
  if (!Array.isArray(data) || data.length === 0 || data.length > bridgeLimits.payloadMaxCount + 1)
    return undefined
  const parts: unknown[] = data
  if (!parts.every(isPrivateBytes)) return undefined
  const [control, ...payloads] = parts
  if (control === undefined || control.length > bridgeLimits.controlMaxSizeBytes) return undefined
  const sizeBytes = payloads.reduce((sum, it) => sum + it.length, 0)
  return sizeBytes > bridgeLimits.payloadsMaxSizeBytes ? undefined : { control, payloads }
}

/**
 * A channel over one end of a `MessageChannel`: Worker threads of Node and Workers of browsers. Bytes are copied by
 * structured cloning, large ones by a copy that moves; with `transfer` the buffers that a payload fills wholly move instead.
 */
export function portChannel(port: PortLike): Channel {
  let listener: ChannelListener | undefined
  let closed = false
  const end = (error: BridgeError | undefined) => {
    if (closed) return
    closed = true
    port.close()
    listener?.onClose(error)
  }
  const violation = () =>
    end(
      new BridgeError(
        'BRIDGE_PROTOCOL_VIOLATION',
        'a message is not a list of byte strings within its limits',
      ),
    )
  return {
    send({ control, payloads }: Frame, { transfer = false }: SendOptions = {}): void {
      if (closed) throw new BridgeError('BRIDGE_CLOSED', 'the channel is closed')
      assertPayloads(payloads)
      // A copy that moves is made once, a clone twice. Cloning a view clones the whole buffer behind it besides.
      const moves = (it: Uint8Array) => it.length >= moveMinSizeBytes
      const parts = payloads.map((it) => {
        if (!fillsItsBuffer(it)) return copyBytes(it)
        return moves(it) && !transfer ? copyBytes(it) : it
      })
      const moved = new Set(parts.filter((it) => transfer || moves(it)).map((it) => it.buffer))
      port.postMessage([fillsItsBuffer(control) ? control : copyBytes(control), ...parts], [...moved])
    },
    listen(it: ChannelListener): void {
      listener = it
      port.addEventListener('message', ({ data }) => {
        if (closed) return
        const frame = readMessage(data)
        if (frame === undefined) violation()
        else it.onFrame(frame)
      })
      port.addEventListener('messageerror', violation)
      port.addEventListener('close', () => end(undefined))
      port.start()
    },
    close: () => end(undefined),
  }
}

function fillsItsBuffer(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
}
