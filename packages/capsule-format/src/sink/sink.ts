// SPDX-License-Identifier: Apache-2.0
import { CapsuleFormatError } from '../errors.ts'

/** Where a capsule is written. Pages come in order; the part before them comes last. */
export interface CapsuleSink {
  /** Takes bytes that are its to read until the promise resolves: what it keeps longer, it copies. */
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>
  /** Makes the capsule appear, whole and durable. */
  commit(): Promise<void>
  /** Removes all traces. Called after any failure, of `commit` too. */
  abort(): Promise<void>
}

/** Collects a capsule in memory. */
export interface MemoryCapsuleSink extends CapsuleSink {
  /** The capsule, once it is committed. @throws CapsuleFormatError `CAPSULE_WRITE_FAILED` before */
  bytes(): Uint8Array
}

export function memoryCapsuleSink(): MemoryCapsuleSink {
  let buffer = new Uint8Array(65_536)
  let sizeBytes = 0
  let committed = false
  return {
    write(offsetBytes, bytes) {
      const endBytes = offsetBytes + bytes.length
      if (endBytes > buffer.length) {
        const grown = new Uint8Array(Math.max(endBytes, 2 * buffer.length))
        grown.set(buffer)
        buffer = grown
      }
      buffer.set(bytes, offsetBytes)
      sizeBytes = Math.max(sizeBytes, endBytes)
      return Promise.resolve()
    },
    commit() {
      committed = true
      return Promise.resolve()
    },
    abort() {
      committed = false
      buffer = new Uint8Array(0)
      return Promise.resolve()
    },
    bytes() {
      if (!committed) throw new CapsuleFormatError('CAPSULE_WRITE_FAILED', 'the capsule is not complete')
      return buffer.slice(0, sizeBytes)
    },
  }
}
