// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@mlcapsule/crypto'
import { ByteReader } from '../../bytes/byte-reader.ts'
import type { AttestationErrorCode } from '../../errors.ts'

/** TPM structures are big-endian (TPM 2.0 Library, Part 1). */
export function tpmReader(bytes: Uint8Array, what: string, code?: AttestationErrorCode): ByteReader {
  return new ByteReader(bytes, { what, order: 'big', ...(code === undefined ? {} : { code }) })
}

/** A TPM2B: its size in 16 bits, then its bytes. */
export function readSized(reader: ByteReader, maxSizeBytes: number, field: string): Uint8Array<ArrayBuffer> {
  const sizeBytes = reader.u16()
  if (sizeBytes > maxSizeBytes) {
    reader.refuse(`${field} has ${sizeBytes} bytes, at most ${maxSizeBytes} are read`)
  }
  return reader.bytes(sizeBytes)
}

/** The same, written. @param bytes at most 65,535 */
export function toSized(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes)
}

/** A number in exactly so many bytes, since TPMs may leave leading zeros out; null for zero and for one that is longer. */
export function padNumber(number: Uint8Array, sizeBytes: number): Uint8Array | null {
  if (number.length > sizeBytes || number.every((it) => it === 0)) return null
  const whole = new Uint8Array(sizeBytes)
  whole.set(number, sizeBytes - number.length)
  return whole
}
