// SPDX-License-Identifier: Apache-2.0
import { BridgeError } from '../errors.ts'
import type { Frame } from '../protocol/channel.ts'
import type { StreamRecord } from './records.ts'
import type { RingReader } from './ring.ts'

interface Unfinished {
  readonly control: Uint8Array
  readonly payloads: readonly Uint8Array[]
  payloadIndex: number
  filledSizeBytes: number
}

/** Memory that waits for a frame. */
const spareMaxSizeBytes = 67_108_864

const fillsItsBuffer = (bytes: Uint8Array) => bytes.length > 0 && bytes.length === bytes.buffer.byteLength

function violation(detail: string): BridgeError {
  return new BridgeError('BRIDGE_PROTOCOL_VIOLATION', detail)
}

/** Puts frames together from the records of a stream, one frame at a time. */
export class FrameAssembler {
  readonly #ring: RingReader | undefined
  readonly #onFrame: (frame: Frame) => void
  readonly #onConsumed: (sizeBytes: number) => void
  #unfinished: Unfinished | undefined
  #spare: Uint8Array[] = []

  /**
   * @param ring memory that the peer writes to; undefined where there is none
   * @param onConsumed told how many bytes of the ring may be written anew
   */
  constructor(
    ring: RingReader | undefined,
    onFrame: (frame: Frame) => void,
    onConsumed: (sizeBytes: number) => void,
  ) {
    this.#ring = ring
    this.#onFrame = onFrame
    this.#onConsumed = onConsumed
  }

  /** @throws BridgeError `BRIDGE_PROTOCOL_VIOLATION` */
  accept(record: Exclude<StreamRecord, { type: 'credit' }>): void {
    if (record.type === 'begin') this.#begin(record.control, record.payloadSizesBytes)
    else if (record.type === 'inline') this.#fill(record.bytes.length, (target) => target.set(record.bytes))
    else this.#fillFromRing(record)
    this.#finish()
  }

  #begin(control: Uint8Array, payloadSizesBytes: readonly number[]): void {
    if (this.#unfinished !== undefined) throw violation('begin: the frame before is not complete')
    const payloads = payloadSizesBytes.map((sizeBytes) => this.#memoryOf(sizeBytes))
    this.#unfinished = { control, payloads, payloadIndex: 0, filledSizeBytes: 0 }
    this.#skipFilled(this.#unfinished)
  }

  /**
   * Takes memory back: a later frame of the same sizes arrives in it. Fresh memory costs more than to copy into it, since the
   * system hands out each page of it anew. What was taken back before is let go.
   */
  reuse(payloads: readonly Uint8Array[]): void {
    const sizeBytes = payloads.reduce((sum, it) => sum + it.length, 0)
    this.#spare = sizeBytes > spareMaxSizeBytes ? [] : payloads.filter(fillsItsBuffer)
  }

  #memoryOf(sizeBytes: number): Uint8Array {
    const at = this.#spare.findIndex((it) => it.length === sizeBytes)
    return this.#spare.splice(at, at < 0 ? 0 : 1)[0] ?? new Uint8Array(sizeBytes)
  }

  #fillFromRing(segment: { readonly offsetBytes: number; readonly sizeBytes: number }): void {
    const ring = this.#ring
    if (ring === undefined) throw violation('ring: there is none')
    this.#fill(segment.sizeBytes, (target) => ring.readInto(target, segment))
    this.#onConsumed(segment.sizeBytes)
  }

  #fill(sizeBytes: number, copy: (target: Uint8Array) => void): void {
    const unfinished = this.#unfinished
    const payload = unfinished?.payloads[unfinished.payloadIndex]
    if (unfinished === undefined || payload === undefined) throw violation('data outside of a frame')
    const target = payload.subarray(unfinished.filledSizeBytes)
    if (sizeBytes > target.length) throw violation('data beyond the end of a payload')
    copy(target)
    unfinished.filledSizeBytes += sizeBytes
    this.#skipFilled(unfinished)
  }

  /** Goes on to the next payload that still awaits bytes. */
  #skipFilled(unfinished: Unfinished): void {
    while (unfinished.payloads[unfinished.payloadIndex]?.length === unfinished.filledSizeBytes) {
      unfinished.payloadIndex++
      unfinished.filledSizeBytes = 0
    }
  }

  #finish(): void {
    const unfinished = this.#unfinished
    if (unfinished === undefined || unfinished.payloadIndex < unfinished.payloads.length) return
    this.#unfinished = undefined
    this.#onFrame({ control: unfinished.control, payloads: unfinished.payloads })
  }
}
