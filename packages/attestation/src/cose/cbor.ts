// SPDX-License-Identifier: Apache-2.0
import { type DecodeOptions, decode, type Token, Tokenizer } from 'cborg'
import { AttestationError } from '../errors.ts'

export interface ForeignCborOptions {
  /** What the bytes are, for messages. */
  readonly what: string
  readonly maxSizeBytes: number
  /** Arrays and maps, and so also how deep they can nest. */
  readonly maxContainerCount: number
}

const decodeOptions: DecodeOptions = {
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: true,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
}

/** Counts what nests: the library would follow any depth. */
class BoundedTokenizer extends Tokenizer {
  #left: number

  constructor(bytes: Uint8Array, maxContainerCount: number) {
    super(bytes, decodeOptions)
    this.#left = maxContainerCount
  }

  override next(): Token {
    const token = super.next()
    if (!token.type.terminal && this.#left-- === 0) throw new RangeError('too many arrays and maps')
    return token
  }
}

/**
 * Reads CBOR that others have written: any form of lengths, but no tags, no key twice in a map, and nothing behind it. Maps
 * become `Map`s, byte strings copies.
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`
 * @see RFC 8949 §5
 */
export function decodeForeignCbor(bytes: Uint8Array, options: ForeignCborOptions): unknown {
  const { what, maxSizeBytes, maxContainerCount } = options
  if (bytes.length > maxSizeBytes) throw malformed(`${what} has more than ${maxSizeBytes} bytes`)
  try {
    const plain = new Uint8Array(bytes)
    return decode(plain, { ...decodeOptions, tokenizer: new BoundedTokenizer(plain, maxContainerCount) })
  } catch (cause) {
    throw malformed(`${what} is not CBOR, or of too many parts`, cause)
  }
}

function malformed(detail: string, cause?: unknown): AttestationError {
  return new AttestationError('ATTESTATION_EVIDENCE_MALFORMED', detail, {
    field: 'evidence.bytes',
    cause,
  })
}
