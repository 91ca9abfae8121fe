// SPDX-License-Identifier: Apache-2.0
import { CryptoError } from '../errors.ts'

// For public data: these index tables by the data, which secrets must not do.

const hexDigits = '0123456789abcdef'
const base64UrlDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function reverseTable(digits: string): Int8Array {
  const table = new Int8Array(128).fill(-1)
  for (let i = 0; i < digits.length; i++) table[digits.charCodeAt(i)] = i
  return table
}

const hexValues = reverseTable(hexDigits)
const base64UrlValues = reverseTable(base64UrlDigits)

function refuse(detail: string): never {
  throw new CryptoError('KEY_ENCODING_INVALID', detail)
}

function digitValue(table: Int8Array, text: string, at: number): number {
  const value = table[text.charCodeAt(at)] ?? -1
  return value < 0 ? refuse(`character ${at} is not a digit of the encoding`) : value
}

/** Lower-case hex of public bytes. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15)
  return text
}

/** @throws CryptoError `KEY_ENCODING_INVALID` for anything but an even number of lower-case digits */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0) refuse(`hex has an even number of digits, got ${text.length}`)
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (digitValue(hexValues, text, 2 * i) << 4) | digitValue(hexValues, text, 2 * i + 1)
  }
  return bytes
}

/** Base64url without padding (RFC 4648 §5) of public bytes. */
export function toBase64Url(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const count = Math.min(3, bytes.length - at)
    const group = ((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    for (let i = 0; i <= count; i++) text += base64UrlDigits.charAt((group >> (18 - 6 * i)) & 63)
  }
  return text
}

/**
 * Strict inverse of `toBase64Url`: no padding, no white space, unused bits zero.
 * @throws CryptoError `KEY_ENCODING_INVALID`
 */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const rest = text.length % 4
  if (rest === 1) refuse(`${text.length} digits are not base64url`)
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let bitCount = 0
  let at = 0
  for (let i = 0; i < text.length; i++) {
    bits = ((bits << 6) | digitValue(base64UrlValues, text, i)) & 0xffff
    bitCount += 6
    if (bitCount >= 8) {
      bitCount -= 8
      bytes[at++] = (bits >> bitCount) & 0xff
    }
  }
  if ((bits & ((1 << bitCount) - 1)) !== 0) refuse('the unused bits of the last digit are not zero')
  return bytes
}

const utf8Encoder = new TextEncoder()

/** UTF-8 of a text. */
export function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  return utf8Encoder.encode(text)
}
