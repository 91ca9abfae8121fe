// SPDX-License-Identifier: Apache-2.0
import { ModelError } from '../errors.ts'
import { type ModelSource, readExactly } from '../source/model-source.ts'

const windowSizeBytes = 256 * 1024

/**
 * Protobuf's primitive encodings over a source that is read in windows. `end` is where the enclosing message ends:
 * nothing is read beyond it.
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

  /** Makes the window hold `sizeBytes` from `position`; returns where in the window they start. */
  async #need(sizeBytes: number): Promise<number> {
    const offset = this.position - this.#windowStart
    if (offset >= 0 && offset + sizeBytes <= this.#window.length) return offset
    const wanted = Math.max(sizeBytes, windowSizeBytes)
    const size = Math.min(wanted, this.#source.sizeBytes - this.position)
    this.#window = await readExactly(this.#source, this.position, size)
    this.#windowStart = this.position
    return 0
  }

  /** The bytes of one varint, at most 10. */
  async varintBytes(end: number): Promise<Uint8Array> {
    const available = Math.min(10, end - this.position)
    const start = await this.#need(available)
    for (let i = 0; i < available; i++) {
      if ((this.#window[start + i] as number) < 0x80) {
        this.position += i + 1
        return this.#window.subarray(start, start + i + 1)
      }
    }
    throw new ModelError('MODEL_PROTO_MALFORMED', `an integer does not end, at byte ${this.position}`)
  }

  /** A varint that fits a safe integer: tags and lengths. */
  async varint(end: number): Promise<number> {
    const bytes = await this.varintBytes(end)
    let value = 0
    for (let i = bytes.length - 1; i >= 0; i--) value = value * 128 + ((bytes[i] as number) & 0x7f)
    if (!Number.isSafeInteger(value)) {
      throw new ModelError('MODEL_PROTO_MALFORMED', `an integer overflows, before byte ${this.position}`)
    }
    return value
  }

  /** The length of a length-delimited field that fits into the enclosing message. */
  async length(end: number): Promise<number> {
    const sizeBytes = await this.varint(end)
    if (sizeBytes > end - this.position) {
      const detail = `a field of ${sizeBytes} bytes at byte ${this.position} goes beyond its message`
      throw new ModelError('MODEL_PROTO_MALFORMED', detail)
    }
    return sizeBytes
  }

  async fixed(sizeBytes: number, end: number): Promise<Uint8Array> {
    if (sizeBytes > end - this.position) {
      throw new ModelError('MODEL_PROTO_MALFORMED', `the message ends within a field, at byte ${end}`)
    }
    return this.bytes(sizeBytes)
  }

  /** `sizeBytes` bytes that the caller knows to be there. Valid until the next call. */
  async bytes(sizeBytes: number): Promise<Uint8Array> {
    const start = await this.#need(sizeBytes)
    this.position += sizeBytes
    return this.#window.subarray(start, start + sizeBytes)
  }
}
