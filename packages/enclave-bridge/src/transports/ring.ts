// SPDX-License-Identifier: Apache-2.0
import { BridgeError } from '../errors.ts'

/** A stretch of a ring, never across its end. */
export interface RingSegment {
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/**
 * The writing side of a ring in shared memory. Only the memory is shared: positions and credit are private numbers on
 * each side, kept in step by messages, so that nothing the other side writes can mislead this one.
 */
export class RingWriter {
  readonly #memory: Uint8Array
  #positionBytes: number = 0
  #freeSizeBytes: number

  constructor(memory: Uint8Array) {
    this.#memory = memory
    this.#freeSizeBytes = memory.length
  }

  /** Copies as much of `bytes` as fits without wrapping. @returns where it went; null when the ring is full */
  write(bytes: Uint8Array): RingSegment | null {
    // What is written where the last frame was is still in the caches of both sides.
    if (this.#freeSizeBytes === this.#memory.length) this.#positionBytes = 0
    const offsetBytes = this.#positionBytes
    const sizeBytes = Math.min(bytes.length, this.#freeSizeBytes, this.#memory.length - offsetBytes)
    if (sizeBytes === 0) return null
    this.#memory.set(bytes.subarray(0, sizeBytes), offsetBytes)
    this.#positionBytes = (offsetBytes + sizeBytes) % this.#memory.length
    this.#freeSizeBytes -= sizeBytes
    return { offsetBytes, sizeBytes }
  }

  /** @throws BridgeError `BRIDGE_PROTOCOL_VIOLATION` for more credit than was used */
  addCredit(sizeBytes: number): void {
    if (sizeBytes === 0 || sizeBytes > this.#memory.length - this.#freeSizeBytes) {
      throw new BridgeError('BRIDGE_PROTOCOL_VIOLATION', 'credit: more than was used')
    }
    this.#freeSizeBytes += sizeBytes
  }
}

/**
 * The reading side: it knows where the next segment must lie, or that the ring begins anew, and copies it out before anything
 * looks at it.
 */
export class RingReader {
  readonly #memory: Uint8Array
  #positionBytes: number = 0

  constructor(memory: Uint8Array) {
    this.#memory = memory
  }

  /** Copies a segment to `target`. @throws BridgeError `BRIDGE_PROTOCOL_VIOLATION` for any other place or size */
  readInto(target: Uint8Array, { offsetBytes, sizeBytes }: RingSegment): void {
    const fits = sizeBytes > 0 && sizeBytes <= target.length
    const isNext = offsetBytes === this.#positionBytes || offsetBytes === 0
    if (!fits || !isNext || sizeBytes > this.#memory.length - offsetBytes) {
      throw new BridgeError('BRIDGE_PROTOCOL_VIOLATION', 'ring: the segment is not where the next one lies')
    }
    target.set(this.#memory.subarray(offsetBytes, offsetBytes + sizeBytes))
    this.#positionBytes = (offsetBytes + sizeBytes) % this.#memory.length
  }
}
