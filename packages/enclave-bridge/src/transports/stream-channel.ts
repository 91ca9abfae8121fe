// SPDX-License-Identifier: Apache-2.0
import { BridgeError } from '../errors.ts'
import type { Channel, ChannelListener, Frame } from '../protocol/channel.ts'
import { assertPayloads } from '../protocol/envelope.ts'
import { FrameAssembler } from './frame-assembler.ts'
import { encodeRecord, inlineMaxSizeBytes, RecordReader, type StreamRecord } from './records.ts'
import { RingReader, RingWriter } from './ring.ts'

/** A reliable, ordered stream of bytes in both directions. */
export interface ByteStream {
  write(bytes: Uint8Array): void
  /** Called once. */
  onData(listener: (chunk: Uint8Array) => void): void
  /** Called once, with nothing said about the reason: a stream that ends is a peer that is gone. */
  onEnd(listener: () => void): void
  /** Sends what was written, then ends. */
  end(): void
}

/** Memory that both sides have mapped: one ring for each direction. */
export interface SharedRings {
  readonly outgoing: Uint8Array
  readonly incoming: Uint8Array
}

/** Smaller payloads go through the stream: the detour through the ring would cost more than it saves. */
const ringMinSizeBytes = 8_192

interface Piece {
  /** What is written to the stream at once. */
  readonly record?: StreamRecord
  /** What goes through the ring as it gets free. */
  readonly ringBytes?: Uint8Array
}

/**
 * A channel over a byte stream, with shared memory for large payloads where there is some. What waits for the ring keeps
 * its place: frames arrive in the order in which they were sent.
 */
export class StreamChannel implements Channel {
  readonly #stream: ByteStream
  readonly #rings: SharedRings | undefined
  readonly #ringWriter: RingWriter | undefined
  #listener: ChannelListener | undefined
  #closed: boolean = false
  #waiting: Piece[] = []

  constructor(stream: ByteStream, rings?: SharedRings) {
    this.#stream = stream
    this.#rings = rings
    this.#ringWriter = rings === undefined ? undefined : new RingWriter(rings.outgoing)
  }

  send({ control, payloads }: Frame): void {
    if (this.#closed) throw new BridgeError('BRIDGE_CLOSED', 'the channel is closed')
    assertPayloads(payloads)
    const payloadSizesBytes = payloads.map((it) => it.length)
    this.#waiting.push({ record: { type: 'begin', payloadSizesBytes, control } })
    for (const payload of payloads) this.#queuePayload(payload)
    this.#flush()
  }

  listen(listener: ChannelListener): void {
    this.#listener = listener
    const incoming = this.#rings === undefined ? undefined : new RingReader(this.#rings.incoming)
    const assembler = new FrameAssembler(
      incoming,
      (frame) => {
        if (!this.#closed) listener.onFrame(frame)
      },
      (sizeBytes) => this.#write({ type: 'credit', sizeBytes }),
    )
    const reader = new RecordReader((record) => {
      if (record.type === 'credit') this.#onCredit(record.sizeBytes)
      else assembler.accept(record)
    })
    this.#stream.onData((chunk) => {
      if (this.#closed) return
      try {
        reader.push(chunk)
      } catch (error) {
        this.#end(
          error instanceof BridgeError
            ? error
            : new BridgeError('BRIDGE_PROTOCOL_VIOLATION', 'a frame could not be taken', { cause: error }),
        )
      }
    })
    this.#stream.onEnd(() => this.#end(undefined))
  }

  close(): void {
    this.#end(undefined)
  }

  #queuePayload(payload: Uint8Array): void {
    if (this.#ringWriter !== undefined && payload.length >= ringMinSizeBytes) {
      // Copied if it has to wait, since the caller may go on to use its buffer.
      this.#waiting.push({ ringBytes: payload })
      return
    }
    for (let at = 0; at < payload.length; at += inlineMaxSizeBytes) {
      this.#waiting.push({ record: { type: 'inline', bytes: payload.subarray(at, at + inlineMaxSizeBytes) } })
    }
  }

  #flush(): void {
    const waiting = this.#waiting
    while (waiting.length > 0) {
      const { record, ringBytes } = waiting[0] as Piece
      if (record !== undefined) this.#write(record)
      else if (ringBytes !== undefined) {
        const rest = this.#writeToRing(ringBytes)
        if (rest.length > 0) {
          this.#waiting = [{ ringBytes: rest.slice() }, ...waiting.slice(1).map(ownCopy)]
          return
        }
      }
      waiting.shift()
    }
  }

  /** @returns what did not fit */
  #writeToRing(bytes: Uint8Array): Uint8Array {
    let rest = bytes
    while (rest.length > 0) {
      const segment = (this.#ringWriter as RingWriter).write(rest)
      if (segment === null) break
      this.#write({ type: 'ring', ...segment })
      rest = rest.subarray(segment.sizeBytes)
    }
    return rest
  }

  #onCredit(sizeBytes: number): void {
    if (this.#ringWriter === undefined) {
      throw new BridgeError('BRIDGE_PROTOCOL_VIOLATION', 'credit: there is no ring')
    }
    this.#ringWriter.addCredit(sizeBytes)
    this.#flush()
  }

  #write(record: StreamRecord): void {
    if (!this.#closed) this.#stream.write(encodeRecord(record))
  }

  #end(error: BridgeError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#waiting = []
    this.#stream.end()
    this.#listener?.onClose(error)
  }
}

function ownCopy(piece: Piece): Piece {
  if (piece.ringBytes !== undefined) return { ringBytes: piece.ringBytes.slice() }
  if (piece.record?.type === 'inline') return { record: { ...piece.record, bytes: piece.record.bytes.slice() } }
  return piece
}
