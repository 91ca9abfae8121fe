// SPDX-License-Identifier: Apache-2.0
import {
  assertKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  signDetached,
  verifyDetached,
} from '../ed25519/ed25519.ts'
import { cryptoReady } from '../ed25519/sodium.ts'
import { fromBase64Url, toBase64Url, utf8Bytes } from '../encoding/text.ts'
import { CryptoError, type CryptoErrorCode } from '../errors.ts'
import { decodeJsonObject, encodeJsonObject } from './canonical-json.ts'

/** No token of ours is longer. */
export const jwsMaxSizeBytes = 65_536

const typPattern = /^[a-z0-9]+(?:[-+.][a-z0-9]+)*$/

export interface SignJwsInput extends SigningKeyPair {
  /** Exact media type, e.g. `mlc-license+jwt`. */
  readonly typ: string
  /** JSON object; numbers are safe integers. */
  readonly payload: object
}

export interface VerifyJwsOptions {
  readonly typ: string
  /** Trusted public keys, or a lookup by thumbprint. */
  readonly keys: readonly Uint8Array[] | ((kid: string) => Uint8Array | undefined)
  /** 65,536 when absent, which is also the most. */
  readonly maxSizeBytes?: number
}

export interface VerifiedJws {
  /** JSON object, to be validated by its schema. */
  readonly payload: unknown
  /** Thumbprint of the key that signed. */
  readonly kid: string
  /** The key that signed, 32 bytes. */
  readonly publicKey: Uint8Array
}

function refuse(code: CryptoErrorCode, detail: string): never {
  throw new CryptoError(code, detail, { field: 'token' })
}

function protectedHeader(typ: string, kid: string): string {
  return `{"alg":"EdDSA","typ":"${typ}","kid":"${kid}"}`
}

/**
 * Signs a compact JWS (RFC 7515, EdDSA of RFC 8037) whose protected header is exactly `alg`, `typ`, `kid`.
 * @throws CryptoError `JWS_PAYLOAD_INVALID`, `KEY_INVALID` if the keys do not belong together
 */
export async function signJws(input: SignJwsInput): Promise<string> {
  await cryptoReady()
  if (!typPattern.test(input.typ))
    refuse('JWS_PAYLOAD_INVALID', 'typ is a lower-case media type without parameters')
  // The key in `kid` must be the one that signs, or nobody could verify the token.
  assertKeyPair(input)
  const header = protectedHeader(input.typ, keyThumbprint(input.publicKey))
  const payload = encodeJsonObject(input.payload)
  const signed = `${toBase64Url(utf8Bytes(header))}.${toBase64Url(utf8Bytes(payload))}`
  const signature = signDetached(input.privateKey, utf8Bytes(signed))
  const token = `${signed}.${toBase64Url(signature)}`
  if (token.length > jwsMaxSizeBytes) {
    refuse('JWS_PAYLOAD_INVALID', `a token has at most ${jwsMaxSizeBytes} bytes, this one ${token.length}`)
  }
  return token
}

/**
 * Verifies a compact JWS, strictly: canonical base64url, header members `alg` (EdDSA), `typ` (exact) and `kid` (the
 * thumbprint of a trusted key) and no other, payload a JSON object in compact form without repeated members and
 * fractions. The payload is parsed only after its signature has verified.
 * @throws CryptoError `JWS_MALFORMED`, `JWS_TYPE_MISMATCH`, `JWS_KEY_UNKNOWN`, `JWS_SIGNATURE_INVALID`
 */
export async function verifyJws(token: string, options: VerifyJwsOptions): Promise<VerifiedJws> {
  await cryptoReady()
  const limit = Math.min(options.maxSizeBytes ?? jwsMaxSizeBytes, jwsMaxSizeBytes)
  if (typeof token !== 'string') refuse('JWS_MALFORMED', 'a token is a string')
  if (token.length > limit) refuse('JWS_MALFORMED', `a token has at most ${limit} bytes, got ${token.length}`)
  const parts = token.split('.')
  if (parts.length !== 3) refuse('JWS_MALFORMED', `a token has three parts, got ${parts.length}`)
  const [header, payload, signature] = parts.map(decodePart) as [Uint8Array, Uint8Array, Uint8Array]

  const kid = readHeader(header, options.typ)
  const publicKey = findKey(options.keys, kid)
  const signed = utf8Bytes(token.slice(0, token.lastIndexOf('.')))
  if (!verifyDetached(publicKey, signed, signature)) {
    refuse('JWS_SIGNATURE_INVALID', 'the signature does not verify')
  }
  return { payload: decodeJsonObject(payload, 'payload'), kid, publicKey }
}

function decodePart(part: string): Uint8Array {
  try {
    return fromBase64Url(part)
  } catch {
    return refuse('JWS_MALFORMED', 'a part is not canonical base64url')
  }
}

function readHeader(bytes: Uint8Array, typ: string): string {
  const header = decodeJsonObject(bytes, 'header') as Readonly<Record<string, unknown>>
  const names = Object.keys(header).sort().join(' ')
  if (names !== 'alg kid typ')
    refuse('JWS_MALFORMED', 'the header has members alg, kid and typ, and no other')
  const { alg, kid, typ: found } = header
  if (alg !== 'EdDSA') refuse('JWS_MALFORMED', 'alg is EdDSA')
  if (typeof kid !== 'string' || typeof found !== 'string') refuse('JWS_MALFORMED', 'kid and typ are strings')
  if (found !== typ) refuse('JWS_TYPE_MISMATCH', `expected a token of type ${typ}`)
  return kid
}

function findKey(keys: VerifyJwsOptions['keys'], kid: string): Uint8Array {
  const key =
    typeof keys === 'function' ? keys(kid) : keys.find((candidate) => keyThumbprint(candidate) === kid)
  // Checked again: a lookup may be looser than it should be.
  if (key === undefined || keyThumbprint(key) !== kid) {
    refuse('JWS_KEY_UNKNOWN', 'the token is signed by a key that is not trusted here')
  }
  return key
}
