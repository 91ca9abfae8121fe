// SPDX-License-Identifier: Apache-2.0
import { CryptoError } from '../errors.ts'
import { CborReader } from './reader.ts'
import { assertEncodable } from './values.ts'
import { CborWriter } from './writer.ts'

/** Nesting that no message of ours needs. */
export const cborMaxDepth = 16

export interface CborEncodeOptions {
  /** Allows finite fractions, in the shortest of the three IEEE 754 forms. Off by default. */
  readonly allowFloats?: boolean
}

export interface CborDecodeOptions extends CborEncodeOptions {
  /** Refused before anything is read if the input is longer. */
  readonly maxSizeBytes: number
}

const writer = new CborWriter()

/**
 * Deterministic CBOR (RFC 8949 §4.2.1): shortest lengths, map keys in bytewise order of their encodings.
 * Takes integers (number or bigint below 2^64), well-formed text, `Uint8Array`, booleans, null, arrays, plain objects
 * (text keys) and `Map`s with integer or text keys.
 * @throws CryptoError `CBOR_UNENCODABLE`, `CBOR_TOO_LARGE`
 */
export function encodeCbor(value: unknown, options: CborEncodeOptions = {}): Uint8Array<ArrayBuffer> {
  assertEncodable(value, options.allowFloats === true, cborMaxDepth)
  writer.write(value)
  return writer.take()
}

/**
 * Strict inverse of `encodeCbor`. A map whose keys are all text becomes a plain object, any other map a `Map`;
 * integers beyond 2^53 become bigints. Byte strings are copies.
 * @throws CryptoError `CBOR_TOO_LARGE`, `CBOR_MALFORMED` (also: tags, indefinite lengths, repeated keys, other keys than
 * integers and text, trailing bytes, undefined and other simple values, and floats unless allowed),
 * `CBOR_NOT_DETERMINISTIC`
 */
export function decodeCbor(bytes: Uint8Array, options: CborDecodeOptions): unknown {
  if (bytes.length > options.maxSizeBytes) {
    const detail = `at most ${options.maxSizeBytes} bytes are accepted, got ${bytes.length}`
    throw new CryptoError('CBOR_TOO_LARGE', detail)
  }
  const reader = new CborReader(bytes, options.allowFloats === true, cborMaxDepth)
  const value = reader.readWhole()
  if (reader.isDeterministic) return value
  const detail = 'the bytes differ from the deterministic encoding of what they say'
  throw new CryptoError('CBOR_NOT_DETERMINISTIC', detail)
}
