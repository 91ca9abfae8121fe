// SPDX-License-Identifier: Apache-2.0
import { ModelError } from '../errors.ts'
import { type ModelSource, readExactly } from '../source/model-source.ts'

const windowSizeBytes = 256 * 1024
/** A tag and what follows it at once: a length, a varint or a fixed-width number. */
const fieldSizeBytes = 20

/**
 * Protobuf's primitive encodings over a source that is read in windows. `end` is where the enclosing message ends:
 * nothing is read beyond it. Before each field the caller sees to it that the window holds its beginning, so that the many
 * small reads are synchronous.
 */
export class WireReader {
  /** Offset of the next byte in the source. May be set to skip ahead. */
  position = 0
  readonly #source: ModelSource
  #window: Uint8Array = new Uint8Array(0)
  #windowStart = 0

  constructor(source: ModelSource) {
    this.#source = source
  }

  #holds(sizeBytes: number): boolean {
    const offset = this.position - this.#windowStart
    return offset >= 0 && offset + sizeBytes <= this.#window.length
  }

  async #load(sizeBytes: number): Promise<void> {
    const size = Math.min(Math.max(sizeBytes, windowSizeBytes), this.#source.sizeBytes - this.position)
    this.#window = await readExactly(this.#source, this.position, size)
    this.#windowStart = this.position
  }

  #take(sizeBytes: number): Uint8Array {
    const start = this.position - this.#windowStart
    this.position += sizeBytes
    return this.#window.subarray(start, start + sizeBytes)
  }

  /** Whether the beginning of the next field is in the window. If not, `loadField` brings it there. */
  hasField(end: number): boolean {
    return this.#holds(Math.min(fieldSizeBytes, end - this.position))
  }

  async loadField(end: number): Promise<void> {
    await this.#load(Math.min(fieldSizeBytes, end - this.position))
  }

  /** The bytes of one varint, at most 10. */
  varintBytes(end: number): Uint8Array {
    const available = Math.min(10, end - this.position)
    const start = this.position - this.#windowStart
    for (let i = 0; i < available; i++) {
      if ((this.#window[start + i] as number) < 0x80) return this.#take(i + 1)
    }
    throw new ModelError('MODEL_PROTO_MALFORMED', `an integer does not end, at byte ${this.position}`)
  }

  /** A varint that fits a safe integer: tags and lengths. */
  varint(end: number): number {
    const bytes = this.varintBytes(end)
    let value = 0
    for (let i = bytes.length - 1; i >= 0; i--) value = value * 128 + ((bytes[i] as number) & 0x7f)
    if (!Number.isSafeInteger(value)) {
      throw new ModelError('MODEL_PROTO_MALFORMED', `an integer overflows, before byte ${this.position}`)
    }
    return value
  }

  /** The length of a length-delimited field that fits into the enclosing message. */
  length(end: number): number {
    const sizeBytes = this.varint(end)
    if (sizeBytes > end - this.position) {
      const detail = `a field of ${sizeBytes} bytes at byte ${this.position} goes beyond its message`
      throw new ModelError('MODEL_PROTO_MALFORMED', detail)
    }
    return sizeBytes
  }

  /** 4 or 8 bytes. */
  fixed(sizeBytes: number, end: number): Uint8Array {
    if (sizeBytes > end - this.position) {
      throw new ModelError('MODEL_PROTO_MALFORMED', `the message ends within a field, at byte ${end}`)
    }
    return this.#take(sizeBytes)
  }

  /** `sizeBytes` bytes that the caller knows to be there. Valid until the next call. */
  async bytes(sizeBytes: number): Promise<Uint8Array> {
    if (!this.#holds(sizeBytes)) await this.#load(sizeBytes)
    return this.#take(sizeBytes)
  }
}
