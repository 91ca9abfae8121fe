// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError, type MlCapsuleErrorOptions } from '@mlcapsule/contracts'

export const cryptoErrorTable = defineErrorTable({
  SEAL_OPEN_FAILED: {
    kind: 'refused',
    meaning:
      'Sealed bytes did not open: wrong key, wrong place or changed bytes, deliberately not told apart.',
    remedy: 'Use the bytes as they were sealed, with the key and the context that they were sealed for.',
  },
  SEAL_INPUT_INVALID: {
    kind: 'usage',
    meaning: 'A nonce, buffer or length given to seal or open does not fit the cipher.',
    remedy: 'Give a 12-byte nonce, at least 16 sealed bytes, and a destination that holds the plaintext.',
  },
  KEY_KIND_MISMATCH: {
    kind: 'usage',
    meaning: 'A secret of one kind was used where another kind is required.',
    remedy: 'Derive a key of the required kind; a key serves one purpose.',
  },
  KEY_SIZE_INVALID: {
    kind: 'input',
    meaning: 'A key or secret does not have the size of its kind.',
    remedy: 'Give the number of bytes that the message names.',
  },
  KEY_WIPED: {
    kind: 'usage',
    meaning: 'A secret was used after it had been wiped.',
    remedy: 'Keep the secret until its last use, or load it again.',
  },
  KEY_INVALID: {
    kind: 'input',
    meaning: 'Bytes are not a usable public key, or a public and a private key do not belong together.',
    remedy: 'Use the 32-byte public key that was made with the private key.',
  },
  KEY_ENCODING_INVALID: {
    kind: 'input',
    meaning: 'Text is not canonical lower-case hex or canonical base64url without padding.',
    remedy: 'Encode the bytes again; every byte string has exactly one accepted text.',
  },
  SIGNATURE_NOT_READY: {
    kind: 'usage',
    meaning: 'A signature was made or checked before the library had loaded.',
    remedy: 'Await cryptoReady() once, at the start of the program.',
  },
  CRYPTO_UNAVAILABLE: {
    kind: 'environment',
    meaning: 'This JavaScript engine, or the policy of the page, does not let the cryptography start.',
    remedy:
      "In a page, use https or localhost, and allow script-src 'wasm-unsafe-eval' for it and for its Workers.",
  },
  JWS_MALFORMED: {
    kind: 'input',
    meaning: 'A token is not a compact JWS of the strict form that MLCapsule uses.',
    remedy: 'Use the token unchanged, as its issuer made it.',
  },
  JWS_TYPE_MISMATCH: {
    kind: 'refused',
    meaning: 'A token is of another type than the one asked for.',
    remedy: 'Give the token where its type is expected; the message names both types.',
  },
  JWS_KEY_UNKNOWN: {
    kind: 'refused',
    meaning: 'A token is signed by a key that is not among the trusted ones.',
    remedy: 'Check where the token comes from; add the key only if it was received over a trusted way.',
  },
  JWS_SIGNATURE_INVALID: {
    kind: 'refused',
    meaning: "A token's signature does not verify.",
    remedy: 'The token was changed or forged: get it again from its issuer.',
  },
  JWS_PAYLOAD_INVALID: {
    kind: 'usage',
    meaning:
      'A payload to be signed is not a JSON object of strings, booleans, nulls, arrays and safe integers.',
    remedy: 'Remove fractions, undefined values and class instances from the payload, or make it smaller.',
  },
  CBOR_MALFORMED: {
    kind: 'input',
    meaning: 'Bytes are not well-formed CBOR of the accepted subset.',
    remedy:
      'Use the bytes unchanged; tags, indefinite lengths, repeated keys and trailing bytes are refused.',
  },
  CBOR_NOT_DETERMINISTIC: {
    kind: 'input',
    meaning: 'CBOR is well-formed but not in the deterministic encoding of RFC 8949 section 4.2.1.',
    remedy: 'Encode with shortest integers and with map keys in bytewise order of their encodings.',
  },
  CBOR_TOO_LARGE: {
    kind: 'input',
    meaning: 'CBOR exceeds the size or nesting that its place allows.',
    remedy: 'Make the value smaller; the message names the limit.',
  },
  CBOR_UNENCODABLE: {
    kind: 'usage',
    meaning: 'A value has no place in the accepted subset of CBOR.',
    remedy: 'Use integers, text, bytes, booleans, null, arrays and maps with integer or text keys.',
  },
})

export type CryptoErrorCode = keyof typeof cryptoErrorTable

/** A cryptographic act that was refused, or could not be done as asked. Never holds key material. */
export class CryptoError extends MlCapsuleError<CryptoErrorCode> {
  constructor(code: CryptoErrorCode, detail: string, options?: MlCapsuleErrorOptions) {
    super(cryptoErrorTable, code, detail, options)
  }
}
