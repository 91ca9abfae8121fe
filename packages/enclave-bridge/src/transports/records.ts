// SPDX-License-Identifier: Apache-2.0
import { BridgeError } from '../errors.ts'
import { bridgeLimits } from '../protocol/limits.ts'

/**
 * Records of a byte stream: u32 size, u8 type, content. `begin` starts a frame with its control message and the sizes of
 * its payloads; `ring` and `inline` deliver the payloads' bytes in order, through shared memory or the stream itself;
 * `credit` tells the sender how much of the ring may be written anew.
 * @see spec/bridge-protocol.md §5
 */
export type StreamRecord =
  | { readonly type: 'begin'; readonly payloadSizesBytes: readonly number[]; readonly control: Uint8Array }
  | { readonly type: 'ring'; readonly offsetBytes: number; readonly sizeBytes: number }
  | { readonly type: 'inline'; readonly bytes: Uint8Array }
  | { readonly type: 'credit'; readonly sizeBytes: number }

const types = { begin: 1, ring: 2, inline: 3, credit: 4 } as const

/** Bytes that one `inline` record carries at most. */
export const inlineMaxSizeBytes = 262_144

const headSizeBytes = 5
const recordMaxSizeBytes =
  1 + Math.max(inlineMaxSizeBytes, 1 + 4 * bridgeLimits.payloadMaxCount + bridgeLimits.controlMaxSizeBytes)

export function encodeRecord(record: StreamRecord): Uint8Array {
  const bodySizeBytes = bodySizeOf(record)
  const bytes = new Uint8Array(headSizeBytes + bodySizeBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 1 + bodySizeBytes)
  view.setUint8(4, types[record.type])
  switch (record.type) {
    case 'begin': {
      view.setUint8(5, record.payloadSizesBytes.length)
      for (const [index, size] of record.payloadSizesBytes.entries()) view.setUint32(6 + 4 * index, size)
      bytes.set(record.control, 6 + 4 * record.payloadSizesBytes.length)
      break
    }
    case 'ring':
      view.setUint32(5, record.offsetBytes)
      view.setUint32(9, record.sizeBytes)
      break
    case 'inline':
      bytes.set(record.bytes, 5)
      break
    case 'credit':
      view.setUint32(5, record.sizeBytes)
      break
  }
  return bytes
}

function bodySizeOf(record: StreamRecord): number {
  switch (record.type) {
    case 'begin':
      return 1 + 4 * record.payloadSizesBytes.length + record.control.length
    case 'ring':
      return 8
    case 'inline':
      return record.bytes.length
    case 'credit':
      return 4
  }
}

function violation(detail: string): BridgeError {
  return new BridgeError('BRIDGE_PROTOCOL_VIOLATION', detail)
}

function decodeBody(type: number, body: Uint8Array): StreamRecord {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  switch (type) {
    case types.begin: {
      const count = body[0] ?? 0
      const controlAt = 1 + 4 * count
      if (count > bridgeLimits.payloadMaxCount || body.length < controlAt) throw violation('begin: truncated')
      if (body.length - controlAt > bridgeLimits.controlMaxSizeBytes)
        throw violation('begin: control too large')
      const payloadSizesBytes = Array.from({ length: count }, (_, index) => view.getUint32(1 + 4 * index))
      const total = payloadSizesBytes.reduce((sum, it) => sum + it, 0)
      if (total > bridgeLimits.payloadsMaxSizeBytes) throw violation('begin: payloads too large')
      return { type: 'begin', payloadSizesBytes, control: body.slice(controlAt) }
    }
    case types.ring:
      if (body.length !== 8) throw violation('ring: expected 8 bytes')
      return { type: 'ring', offsetBytes: view.getUint32(0), sizeBytes: view.getUint32(4) }
    case types.inline:
      if (body.length === 0 || body.length > inlineMaxSizeBytes) throw violation('inline: size out of range')
      return { type: 'inline', bytes: body.slice() }
    case types.credit:
      if (body.length !== 4) throw violation('credit: expected 4 bytes')
      return { type: 'credit', sizeBytes: view.getUint32(0) }
    default:
      throw violation('unknown type of record')
  }
}

/** Cuts a byte stream, which arrives in chunks of any size, into records. Holds at most one record. */
export class RecordReader {
  readonly #onRecord: (record: StreamRecord) => void
  #held: Uint8Array = new Uint8Array(0)
  #heldSizeBytes: number = 0

  constructor(onRecord: (record: StreamRecord) => void) {
    this.#onRecord = onRecord
  }

  /** @throws BridgeError `BRIDGE_PROTOCOL_VIOLATION`; the reader is of no use afterward */
  push(chunk: Uint8Array): void {
    let rest = chunk
    while (rest.length > 0) {
      const wanted = this.#wantedSizeBytes()
      const taken = rest.subarray(0, wanted - this.#heldSizeBytes)
      this.#hold(taken, wanted)
      rest = rest.subarray(taken.length)
      if (this.#heldSizeBytes === this.#wantedSizeBytes()) this.#emit()
    }
  }

  /** Whether the stream may end here. */
  get isBetweenRecords(): boolean {
    return this.#heldSizeBytes === 0
  }

  /** Size of the record that is being read; of its head as long as that is not complete. */
  #wantedSizeBytes(): number {
    if (this.#heldSizeBytes < headSizeBytes) return headSizeBytes
    const sizeBytes = new DataView(this.#held.buffer, this.#held.byteOffset).getUint32(0)
    if (sizeBytes < 1 || sizeBytes > recordMaxSizeBytes) throw violation('record: size out of range')
    return 4 + sizeBytes
  }

  #hold(bytes: Uint8Array, wantedSizeBytes: number): void {
    if (this.#held.length < wantedSizeBytes) {
      const larger = new Uint8Array(wantedSizeBytes)
      larger.set(this.#held.subarray(0, this.#heldSizeBytes))
      this.#held = larger
    }
    this.#held.set(bytes, this.#heldSizeBytes)
    this.#heldSizeBytes += bytes.length
  }

  #emit(): void {
    const body = this.#held.subarray(headSizeBytes, this.#heldSizeBytes)
    const type = this.#held[4] as number
    const record = decodeBody(type, body)
    this.#heldSizeBytes = 0
    this.#onRecord(record)
  }
}
