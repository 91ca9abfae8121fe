// SPDX-License-Identifier: Apache-2.0
import { jwsMaxSizeBytes, utf8Bytes } from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'

/** Of a token and its line end. */
export const tokenFileMaxSizeBytes = jwsMaxSizeBytes + 2

/** A token as a file: its ASCII and one line feed. Challenge, request and response travel so across an air gap. */
export function encodeTokenFile(token: string): Uint8Array {
  return utf8Bytes(`${token}\n`)
}

/**
 * Reads a token file; at most one line end is taken off. The token itself is checked where it is used.
 * @throws AttestationError `ACTIVATION_TOKEN_FILE_INVALID`
 */
export function decodeTokenFile(bytes: Uint8Array): string {
  const refuse = (detail: string) =>
    new AttestationError('ACTIVATION_TOKEN_FILE_INVALID', detail, { field: 'file' })
  if (bytes.length > tokenFileMaxSizeBytes) throw refuse(`a token has at most ${jwsMaxSizeBytes} bytes`)
  const token = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '')
  if (!/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token)) {
    throw refuse('expected three parts of base64url joined by dots')
  }
  return token
}
