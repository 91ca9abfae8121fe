// SPDX-License-Identifier: Apache-2.0
import { utf8Bytes } from '@mlcapsule/crypto'
import { CapsuleFormatError } from '../errors.ts'

// Readers of decoded CBOR: each returns the value in its type or refuses, naming the field.

export function invalidField(field: string, detail: string): never {
  const path = field === 'header' ? field : `header.${field}`
  throw new CapsuleFormatError('CAPSULE_HEADER_INVALID', `${path}: ${detail}`, { field: path })
}

/** A map whose keys are exactly 1 … count. */
export function readMap(value: unknown, field: string, count: number): ReadonlyMap<unknown, unknown> {
  if (!(value instanceof Map)) invalidField(field, 'expected a map with integer keys')
  for (const key of value.keys()) {
    if (!(Number.isInteger(key) && key >= 1 && key <= count))
      invalidField(field, `unknown key ${String(key)}`)
  }
  for (let key = 1; key <= count; key++) if (!value.has(key)) invalidField(field, `key ${key} is missing`)
  return value
}

export function readInteger(value: unknown, field: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) invalidField(field, 'expected an integer')
  if (value < min || value > max) invalidField(field, `expected ${min} to ${max}, got ${value}`)
  return value
}

export function readBytes(value: unknown, field: string, sizeBytes: number): Uint8Array {
  if (!(value instanceof Uint8Array)) invalidField(field, 'expected a byte string')
  if (value.length !== sizeBytes) invalidField(field, `expected ${sizeBytes} bytes, got ${value.length}`)
  return value
}

// Control characters, line and paragraph separators, and marks that turn the direction of text: a name must not be able
// to disguise itself where it is shown.
const unprintable = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

export function readText(value: unknown, field: string, maxSizeBytes: number): string {
  if (typeof value !== 'string') invalidField(field, 'expected text')
  const sizeBytes = utf8Bytes(value).length
  if (sizeBytes === 0 || sizeBytes > maxSizeBytes) {
    invalidField(field, `expected 1 to ${maxSizeBytes} bytes of UTF-8, got ${sizeBytes}`)
  }
  if (unprintable.test(value)) invalidField(field, 'control characters are not allowed')
  return value
}

export function readArray(value: unknown, field: string, min: number, max: number): readonly unknown[] {
  if (!Array.isArray(value)) invalidField(field, 'expected an array')
  if (value.length < min || value.length > max) {
    invalidField(field, `expected ${min} to ${max} items, got ${value.length}`)
  }
  return value
}

/** Picks from a list whose index is the number in the file. */
export function readChoice<Choice extends string>(
  value: unknown,
  field: string,
  choices: readonly Choice[],
): Choice {
  return choices[readInteger(value, field, 0, choices.length - 1)] as Choice
}

export function assertDistinct(values: readonly string[], field: string): void {
  if (new Set(values).size !== values.length) invalidField(field, 'the items are not distinct')
}
