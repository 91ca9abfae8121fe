// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url, keyThumbprint, toBase64Url } from '@mlcapsule/crypto'
import { z } from 'zod'
import { ProviderError } from '../errors.ts'
import { readTextFile } from '../files/files.ts'

const jwkSchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().length(43),
  kid: z.string().optional(),
})

const bareKeyPattern = /^[A-Za-z0-9_-]{43}$/

/** A public key as a JSON Web Key (RFC 8037), for others to read: one line, with its thumbprint as `kid`. */
export function publicKeyToJwk(publicKey: Uint8Array): string {
  const jwk = {
    kty: 'OKP',
    crv: 'Ed25519',
    x: toBase64Url(publicKey),
    kid: keyThumbprint(publicKey),
    use: 'sig',
  }
  return `${JSON.stringify(jwk)}\n`
}

function invalid(field: string, detail: string): ProviderError {
  return new ProviderError('PROVIDER_KEY_FILE_INVALID', `${field}: ${detail}`, { field })
}

function parseBareKey(text: string, field: string): Uint8Array {
  try {
    return fromBase64Url(text)
  } catch {
    throw invalid(field, 'not canonical base64url')
  }
}

/**
 * An Ed25519 public key from what {@link publicKeyToJwk} writes.
 * @throws ProviderError `PROVIDER_KEY_FILE_INVALID`
 */
export function publicKeyFromJwk(text: string, field: string): Uint8Array {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw invalid(field, 'expected a public key as a JSON Web Key')
  }
  const parsed = jwkSchema.safeParse(json)
  if (!parsed.success) throw invalid(field, 'expected a JSON Web Key with kty OKP, crv Ed25519 and x')
  const publicKey = parseBareKey(parsed.data.x, field)
  const { kid } = parsed.data
  if (kid !== undefined && kid !== keyThumbprint(publicKey))
    throw invalid(field, 'kid is not the thumbprint of x')
  return publicKey
}

/**
 * A public key as users give it: the path of a JSON Web Key, or its `x` itself (43 characters of base64url).
 * @throws ProviderError `PROVIDER_KEY_FILE_INVALID`, `PROVIDER_FILE_UNREADABLE`
 */
export async function readPublicKey(keyOrPath: string): Promise<Uint8Array> {
  if (bareKeyPattern.test(keyOrPath)) return parseBareKey(keyOrPath, 'key')
  return publicKeyFromJwk(await readTextFile(keyOrPath, 4096), keyOrPath)
}
