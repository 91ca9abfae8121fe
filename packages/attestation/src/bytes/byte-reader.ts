// SPDX-License-Identifier: Apache-2.0
import { AttestationError, type AttestationErrorCode } from '../errors.ts'

export interface ByteReaderOptions {
  /** What the bytes are, for messages. */
  readonly what: string
  readonly code?: AttestationErrorCode
  /** Byte order of integers: little-endian unless said otherwise. */
  readonly order?: 'little' | 'big'
}

/**
 * Reads a structure from front to back. Whatever goes beyond the end is refused, so a length field can name any number.
 * Byte strings are copies: what was checked cannot change afterward.
 */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string
  readonly #code: AttestationErrorCode
  readonly #littleEndian: boolean
  #at: number = 0

  constructor(bytes: Uint8Array, options: ByteReaderOptions) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#what = options.what
    this.#code = options.code ?? 'ATTESTATION_EVIDENCE_MALFORMED'
    this.#littleEndian = options.order !== 'big'
  }

  /** Bytes from the start. */
  get offsetBytes(): number {
    return this.#at
  }

  get restSizeBytes(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), this.#littleEndian)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), this.#littleEndian)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), this.#littleEndian)
  }

  bytes(sizeBytes: number): Uint8Array<ArrayBuffer> {
    const from = this.#take(sizeBytes)
    return this.#bytes.slice(from, from + sizeBytes) as Uint8Array<ArrayBuffer>
  }

  /** All that is left. */
  rest(): Uint8Array<ArrayBuffer> {
    return this.bytes(this.restSizeBytes)
  }

  skip(sizeBytes: number): void {
    this.#take(sizeBytes)
  }

  /** Reserved bytes: refused if any is set. */
  zeros(sizeBytes: number, field: string): void {
    if (this.bytes(sizeBytes).some((it) => it !== 0)) this.refuse(`${field} is not zero`)
  }

  /** @throws AttestationError `code` where anything is left */
  end(): void {
    if (this.restSizeBytes > 0) this.refuse(`${this.restSizeBytes} bytes follow its end`)
  }

  /** @throws AttestationError `code`, always */
  refuse(detail: string): never {
    throw new AttestationError(this.#code, `${this.#what}: ${detail}`, { field: this.#what })
  }

  #take(sizeBytes: number): number {
    const from = this.#at
    if (sizeBytes > this.#bytes.length - from) {
      this.refuse(`ends after ${this.#bytes.length} bytes, at offset ${from} it says ${sizeBytes} more`)
    }
    this.#at = from + sizeBytes
    return from
  }
}
