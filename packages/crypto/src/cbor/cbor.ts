// SPDX-License-Identifier: Apache-2.0
import { decode, encode, rfc8949EncodeOptions, Tokenizer, Type } from 'cborg'
import { equalBytes } from '../encoding/bytes.ts'
import { CryptoError, type CryptoErrorCode } from '../errors.ts'
import { assertEncodable, toPlainMaps } from './values.ts'

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

/**
 * Deterministic CBOR (RFC 8949 §4.2.1): shortest lengths, map keys in bytewise order of their encodings.
 * Takes integers (number or bigint below 2^64), well-formed text, `Uint8Array`, booleans, null, arrays, plain objects
 * (text keys) and `Map`s with integer or text keys.
 * @throws CryptoError `CBOR_UNENCODABLE`, `CBOR_TOO_LARGE`
 */
export function encodeCbor(value: unknown, options: CborEncodeOptions = {}): Uint8Array<ArrayBuffer> {
  assertEncodable(value, options.allowFloats === true, cborMaxDepth)
  // A copy: cborg may return a view of a larger buffer.
  return Uint8Array.from(encode(value, rfc8949EncodeOptions))
}

/**
 * Strict inverse of `encodeCbor`. A map whose keys are all text becomes a plain object, any other map a `Map`;
 * integers beyond 2^53 become bigints.
 * @throws CryptoError `CBOR_TOO_LARGE`, `CBOR_MALFORMED` (also: tags, indefinite lengths, repeated keys, other keys than
 * integers and text, trailing bytes, undefined and other simple values, and floats unless allowed),
 * `CBOR_NOT_DETERMINISTIC`
 */
export function decodeCbor(bytes: Uint8Array, options: CborDecodeOptions): unknown {
  if (bytes.length > options.maxSizeBytes) {
    refuse('CBOR_TOO_LARGE', `at most ${options.maxSizeBytes} bytes are accepted, got ${bytes.length}`)
  }
  const allowFloats = options.allowFloats === true
  const decodeOptions = {
    allowIndefinite: false,
    allowUndefined: false,
    allowInfinity: false,
    allowNaN: false,
    allowBigInt: true,
    useMaps: true,
    rejectDuplicateMapKeys: true,
  }
  let decoded: unknown
  try {
    const tokenizer = new StrictTokenizer(bytes, decodeOptions, allowFloats)
    decoded = decode(bytes, { ...decodeOptions, tokenizer })
    assertEncodable(decoded, allowFloats, cborMaxDepth)
  } catch (cause) {
    if (cause instanceof CryptoError && cause.code === 'CBOR_TOO_LARGE') throw cause
    const detail =
      cause instanceof CryptoError ? cause.message : 'the bytes are not CBOR of the accepted subset'
    throw new CryptoError('CBOR_MALFORMED', detail, { cause })
  }
  if (!equalBytes(encode(decoded, rfc8949EncodeOptions), bytes)) {
    refuse('CBOR_NOT_DETERMINISTIC', 'the bytes differ from the deterministic encoding of what they say')
  }
  return toPlainMaps(decoded)
}

function refuse(code: CryptoErrorCode, detail: string): never {
  throw new CryptoError(code, detail)
}

/** Bounds nesting while reading, so that hostile input cannot exhaust the stack, and refuses floats where unwanted. */
class StrictTokenizer extends Tokenizer {
  readonly #allowFloats: boolean
  /** For each open array or map: how many items it still awaits. */
  readonly #open: number[] = []

  constructor(bytes: Uint8Array, options: ConstructorParameters<typeof Tokenizer>[1], allowFloats: boolean) {
    super(bytes, options)
    this.#allowFloats = allowFloats
  }

  override next(): ReturnType<Tokenizer['next']> {
    const token = super.next()
    if (token.type === Type.float && !this.#allowFloats)
      refuse('CBOR_MALFORMED', 'floats are not accepted here')
    while (this.#open.at(-1) === 0) this.#open.pop()
    const last = this.#open.length - 1
    if (last >= 0) this.#open[last] = (this.#open[last] as number) - 1
    if (token.type === Type.array || token.type === Type.map) {
      this.#open.push(token.type === Type.map ? 2 * token.value : token.value)
      if (this.#open.length > cborMaxDepth) {
        refuse('CBOR_TOO_LARGE', `at most ${cborMaxDepth} levels of nesting are accepted`)
      }
    }
    return token
  }
}
