// SPDX-License-Identifier: Apache-2.0
import { copyBytes } from '@mlcapsule/contracts'
import { concatBytes } from '@mlcapsule/crypto'
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

/** Joining more would cost more than the writes that it saves. */
const batchMaxSizeBytes = 65_536

/** What waits to be sent: a record for the stream, or bytes that go through the ring as it gets free. */
type Piece = { readonly record: StreamRecord } | { readonly ringBytes: Uint8Array }

/**
 * A channel over a byte stream, with shared memory for large payloads where there is some. What waits for the ring keeps
 * its place: frames arrive in the order in which they were sent.
 */
export class StreamChannel implements Channel {
  readonly #stream: ByteStream
  readonly #rings: SharedRings | undefined
  readonly #ringWriter: RingWriter | undefined
  #listener: ChannelListener | undefined
  #assembler: FrameAssembler | undefined
  #closed: boolean = false
  #flushing: boolean = false
  readonly #waiting: Piece[] = []
  /** Records that go to the stream in one write: each write takes a call of the system, and may wake the peer. */
  readonly #batch: Uint8Array[] = []

  constructor(stream: ByteStream, rings?: SharedRings) {
    this.#stream = stream
    this.#rings = rings
    this.#ringWriter = rings === undefined ? undefined : new RingWriter(rings.outgoing)
  }

  send({ control, payloads }: Frame): void {
    if (this.#closed) throw new BridgeError('BRIDGE_CLOSED', 'the channel is closed')
    assertPayloads(payloads)
    const payloadSizesBytes = payloads.map((it) => it.length)
    const before = this.#waiting.length
    this.#waiting.push({ record: { type: 'begin', payloadSizesBytes, control } })
    for (const payload of payloads) this.#queuePayload(payload)
    if (before === 0) this.#flush()
    // What has to wait is copied, since the caller may go on to use its buffers.
    for (let index = before; index < this.#waiting.length; index++) {
      this.#waiting[index] = ownCopy(this.#waiting[index] as Piece)
    }
    this.#writeBatch()
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
    this.#assembler = assembler
    const reader = new RecordReader((record) => {
      if (record.type === 'credit') this.#onCredit(record.sizeBytes)
      else assembler.accept(record)
    })
    const chunks: Uint8Array[] = []
    let reading = false
    this.#stream.onData((chunk) => {
      chunks.push(chunk)
      // What is sent while a record is handled may bring the next chunk at once: it has to wait for its turn.
      if (reading) return
      reading = true
      this.#readAll(chunks, reader)
      reading = false
    })
    this.#stream.onEnd(() => this.#end(undefined))
  }

  reuse(payloads: readonly Uint8Array[]): void {
    this.#assembler?.reuse(payloads)
  }

  close(): void {
    this.#end(undefined)
  }

  #readAll(chunks: Uint8Array[], reader: RecordReader): void {
    try {
      while (chunks.length > 0 && !this.#closed) {
        for (let chunk = chunks.shift(); chunk !== undefined && !this.#closed; chunk = chunks.shift()) {
          reader.push(chunk)
        }
        // It may bring the next chunk at once.
        this.#writeBatch()
      }
    } catch (error) {
      this.#end(
        error instanceof BridgeError
          ? error
          : new BridgeError('BRIDGE_PROTOCOL_VIOLATION', 'a frame could not be taken', { cause: error }),
      )
    }
  }

  #queuePayload(payload: Uint8Array): void {
    if (this.#ringWriter !== undefined && payload.length >= ringMinSizeBytes) {
      this.#waiting.push({ ringBytes: payload })
      return
    }
    for (let at = 0; at < payload.length; at += inlineMaxSizeBytes) {
      this.#waiting.push({ record: { type: 'inline', bytes: payload.subarray(at, at + inlineMaxSizeBytes) } })
    }
  }

  /** Sends what can be sent. What stays behind starts with bytes for the ring. */
  #flush(): void {
    // Credit may come while a record is being written; the loop that runs already will use it.
    if (this.#flushing) return
    this.#flushing = true
    while (this.#waiting.length > 0 && this.#sendFirst()) this.#waiting.shift()
    this.#flushing = false
  }

  /** @returns whether the first piece is sent whole */
  #sendFirst(): boolean {
    const piece = this.#waiting[0] as Piece
    if ('record' in piece) {
      this.#write(piece.record)
      return true
    }
    let rest = piece.ringBytes
    while (rest.length > 0) {
      const segment = (this.#ringWriter as RingWriter).write(rest)
      if (segment === null) break
      rest = rest.subarray(segment.sizeBytes)
      this.#write({ type: 'ring', ...segment })
    }
    this.#waiting[0] = { ringBytes: rest }
    return rest.length === 0
  }

  #onCredit(sizeBytes: number): void {
    if (this.#ringWriter === undefined) {
      throw new BridgeError('BRIDGE_PROTOCOL_VIOLATION', 'credit: there is no ring')
    }
    this.#ringWriter.addCredit(sizeBytes)
    this.#flush()
  }

  #write(record: StreamRecord): void {
    this.#batch.push(encodeRecord(record))
  }

  #writeBatch(): void {
    const records = this.#batch.splice(0)
    if (this.#closed || records.length === 0) return
    const sizeBytes = records.reduce((sum, it) => sum + it.length, 0)
    if (sizeBytes <= batchMaxSizeBytes) this.#stream.write(concatBytes(...records))
    else for (const record of records) this.#stream.write(record)
  }

  #end(error: BridgeError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#waiting.length = 0
    this.#stream.end()
    this.#listener?.onClose(error)
  }
}

function ownCopy(piece: Piece): Piece {
  if ('ringBytes' in piece) return { ringBytes: copyBytes(piece.ringBytes) }
  const { record } = piece
  if (record.type === 'inline') return { record: { ...record, bytes: copyBytes(record.bytes) } }
  if (record.type === 'begin') return { record: { ...record, control: copyBytes(record.control) } }
  return piece
}
