// SPDX-License-Identifier: Apache-2.0
import { CryptoError, fromBase64Url, jwsMaxSizeBytes } from '@mlcapsule/crypto'
import { ClientError } from '../errors.ts'

/**
 * What a token says, its signature unchecked: to find where a token belongs and to show it, never to trust it.
 * @throws ClientError `CLIENT_FILE_INVALID`
 */
export function unverifiedPayload(token: string): Readonly<Record<string, unknown>> {
  try {
    if (token.length > jwsMaxSizeBytes) throw new SyntaxError('too long')
    const payload: unknown = JSON.parse(new TextDecoder().decode(fromBase64Url(token.split('.')[1] ?? '')))
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
      throw new SyntaxError('no object')
    return payload as Readonly<Record<string, unknown>>
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof CryptoError)) throw cause
    throw new ClientError('CLIENT_FILE_INVALID', 'expected a signed token', { field: 'token', cause })
  }
}
