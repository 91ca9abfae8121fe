// SPDX-License-Identifier: Apache-2.0

import { equalBytes } from '../encoding/bytes.ts'
import { utf8Bytes } from '../encoding/text.ts'
import { CryptoError } from '../errors.ts'

const maxDepth = 16

function malformed(detail: string): never {
  throw new CryptoError('JWS_MALFORMED', detail, { field: 'token' })
}

function unsignable(detail: string): never {
  throw new CryptoError('JWS_PAYLOAD_INVALID', detail, { field: 'payload' })
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Only safe integers among numbers, so that every reader of a token reads the same value. */
function walk(value: unknown, depth: number, fail: (detail: string) => never): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) fail('a text is not well-formed Unicode')
  } else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) fail('a number is not a safe integer')
  } else if (Array.isArray(value)) {
    if (depth === 0) fail('the object is nested too deeply')
    for (const item of value) walk(item, depth - 1, fail)
  } else if (isPlainObject(value)) {
    if (depth === 0) fail('the object is nested too deeply')
    for (const [name, item] of Object.entries(value)) {
      walk(name, depth, fail)
      walk(item, depth - 1, fail)
    }
  } else if (value !== null && typeof value !== 'boolean') {
    fail(`a value of type ${typeof value} is not JSON`)
  }
}

/** Compact JSON of an object. @throws CryptoError `JWS_PAYLOAD_INVALID` */
export function encodeJsonObject(value: object): string {
  if (!isPlainObject(value)) unsignable('the payload is not a plain object')
  walk(value, maxDepth, unsignable)
  return JSON.stringify(value)
}

/**
 * Reads what `encodeJsonObject` writes, and nothing else: writing the result again must give the same bytes, which leaves
 * no room for repeated members, white space, fractions, other spellings of a number or a character, or invalid UTF-8.
 * @throws CryptoError `JWS_MALFORMED`
 */
export function decodeJsonObject(bytes: Uint8Array, part: 'header' | 'payload'): object {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    malformed(`the ${part} is not JSON`)
  }
  if (!isPlainObject(value)) malformed(`the ${part} is not a JSON object`)
  walk(value, maxDepth, malformed)
  if (!equalBytes(utf8Bytes(JSON.stringify(value)), bytes)) malformed(`the ${part} is not in compact form`)
  return value
}
