// SPDX-License-Identifier: Apache-2.0
import { CryptoError, fromBase64Url, jwsMaxSizeBytes, keyThumbprint, verifyJws } from '@mlcapsule/crypto'
import { AttestationError, type AttestationErrorCode } from '../errors.ts'

/** A text member of a token's payload, before the signature is checked. Never trusted for itself. */
export function unverifiedText(token: string, member: string): string | undefined {
  if (typeof token !== 'string' || token.length > jwsMaxSizeBytes) return undefined
  try {
    const payload: unknown = JSON.parse(new TextDecoder().decode(fromBase64Url(token.split('.')[1] ?? '')))
    if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, member)) return undefined
    const value: unknown = (payload as Readonly<Record<string, unknown>>)[member]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Lookup for `verifyJws` where only thumbprints are pinned, as in a capsule's `authority`: the token's `iss` member is
 * the public key, and it counts only if its thumbprint is among the pinned ones and the signature verifies under it.
 * Serves every token that an authority signs: challenge, response, license.
 */
export function authorityKeys(
  token: string,
  authority: readonly string[],
): (kid: string) => Uint8Array | undefined {
  const issuer = unverifiedText(token, 'iss')
  return (kid) => {
    if (issuer?.length !== 43 || !authority.includes(kid)) return undefined
    try {
      const key = fromBase64Url(issuer)
      return keyThumbprint(key) === kid ? key : undefined
    } catch {
      return undefined
    }
  }
}

interface SignedByOptions {
  readonly typ: string
  readonly keys: readonly Uint8Array[] | ((kid: string) => Uint8Array | undefined)
  /** Thrown in place of `JWS_KEY_UNKNOWN`, which does not say whose signature is missing. */
  readonly unknownSigner: AttestationErrorCode
  readonly who: string
}

/** `verifyJws` with a code that says whose signature is missing. */
export async function verifySignedBy(token: string, options: SignedByOptions) {
  try {
    return await verifyJws(token, { typ: options.typ, keys: options.keys })
  } catch (error) {
    if (!(error instanceof CryptoError) || error.code !== 'JWS_KEY_UNKNOWN') throw error
    throw new AttestationError(options.unknownSigner, `the token is not signed by ${options.who}`, {
      field: 'token',
      cause: error,
    })
  }
}
