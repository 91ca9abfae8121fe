// SPDX-License-Identifier: Apache-2.0
import { CryptoError } from '../errors.ts'

const maxUint64 = 2n ** 64n - 1n

function refuse(detail: string): never {
  throw new CryptoError('CBOR_UNENCODABLE', detail)
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function assertKey(key: unknown): void {
  if (typeof key === 'string' || typeof key === 'bigint' || Number.isSafeInteger(key)) return
  refuse('a map key is neither an integer nor text')
}

function assertNumber(value: number, allowFloats: boolean): void {
  if (Object.is(value, -0)) refuse('minus zero has no deterministic encoding')
  if (Number.isSafeInteger(value)) return
  if (!allowFloats) refuse('a number is not a safe integer')
  if (!Number.isFinite(value)) refuse('a number is not finite')
}

/**
 * Walks a value before it is encoded, or after it was decoded.
 * @throws CryptoError `CBOR_UNENCODABLE`, `CBOR_TOO_LARGE` for nesting (which also ends cycles)
 */
export function assertEncodable(value: unknown, allowFloats: boolean, depth: number): void {
  switch (typeof value) {
    case 'boolean':
      return
    case 'number':
      assertNumber(value, allowFloats)
      return
    case 'bigint':
      if (value > maxUint64 || value < -maxUint64 - 1n) refuse('an integer does not fit 64 bits')
      return
    case 'string':
      if (!value.isWellFormed()) refuse('a text is not well-formed Unicode')
      // TextDecoder, on the other side, would drop it.
      if (value.startsWith('\uFEFF')) refuse('a text starts with a byte order mark')
      return
    case 'object':
      break
    default:
      refuse(`a value of type ${typeof value} cannot be encoded`)
  }
  if (value === null || value instanceof Uint8Array) return
  if (depth === 0) throw new CryptoError('CBOR_TOO_LARGE', 'the value is nested too deeply')
  if (Array.isArray(value)) {
    for (const item of value) assertEncodable(item, allowFloats, depth - 1)
  } else if (value instanceof Map) {
    for (const [key, item] of value) {
      assertKey(key)
      assertEncodable(key, false, 1)
      assertEncodable(item, allowFloats, depth - 1)
    }
  } else {
    if (!isPlainObject(value)) refuse('an object is neither plain, nor a Map, an array or a Uint8Array')
    for (const [key, item] of Object.entries(value)) {
      assertEncodable(key, false, 1)
      assertEncodable(item, allowFloats, depth - 1)
    }
  }
}
