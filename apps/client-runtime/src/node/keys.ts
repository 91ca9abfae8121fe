// SPDX-License-Identifier: Apache-2.0
import { lstat } from 'node:fs/promises'
import {
  CryptoError,
  concatBytes,
  cryptoReady,
  equalBytes,
  expose,
  fromBase64Url,
  generateSigningKeyPair,
  keyThumbprint,
  labeledHash,
  Secret,
  type SigningKeyPair,
  signingKeyPairFrom,
  toBase64Url,
  utf8Bytes,
  wipe,
} from '@mlcapsule/crypto'
import { z } from 'zod'
import { ClientError } from '../errors.ts'
import { readIfThere, readSmallFile, writeWholeFile } from './files.ts'

const magic = utf8Bytes('MLCAPSULE-CUST-1')
const seedSizeBytes = 32
const checkSizeBytes = 8
const bodySizeBytes = magic.length + seedSizeBytes
const keyFileMaxSizeBytes = 4096

/** Finds damage and mix-ups, not forgery: who can write the file can write a key. */
const checkOf = (body: Uint8Array) => labeledHash('customer-key-file', body).subarray(0, checkSizeBytes)

/**
 * The key that stands for this customer toward providers: made at first use, readable by its owner only. It signs
 * activation requests; it opens nothing. File: magic(16) ‖ private key(32) ‖ check(8).
 * @throws ClientError `CLIENT_KEY_FILE_INVALID`, `CLIENT_STATE_UNSAFE`, `CLIENT_FILE_UNREADABLE`,
 * `CLIENT_FILE_NOT_WRITTEN`
 */
export async function openCustomerKey(path: string): Promise<SigningKeyPair> {
  await cryptoReady()
  return (await readCustomerKey(path)) ?? (await makeCustomerKey(path))
}

async function readCustomerKey(path: string): Promise<SigningKeyPair | undefined> {
  const bytes = await readIfThere(path, keyFileMaxSizeBytes)
  if (bytes === undefined) return undefined
  try {
    await refuseExposed(path)
    const body = bytes.subarray(0, bodySizeBytes)
    const isIntact =
      bytes.length === bodySizeBytes + checkSizeBytes &&
      equalBytes(body.subarray(0, magic.length), magic) &&
      equalBytes(bytes.subarray(bodySizeBytes), checkOf(body))
    if (!isIntact) throw invalid(path, 'not an intact customer key file')
    return signingKeyPairFrom(Secret.fromBytes('ed25519-private', body.subarray(magic.length)))
  } finally {
    wipe(bytes)
  }
}

async function makeCustomerKey(path: string): Promise<SigningKeyPair> {
  const pair = generateSigningKeyPair()
  const body = concatBytes(magic, expose(pair.privateKey, 'ed25519-private'))
  const bytes = concatBytes(body, checkOf(body))
  try {
    await writeWholeFile(path, bytes, { mode: 0o600 })
    return pair
  } catch (error) {
    // Another process was first; its key is the one.
    const made =
      error instanceof ClientError && error.code === 'CLIENT_OUTPUT_EXISTS' && (await readCustomerKey(path))
    if (made) return made
    throw error
  } finally {
    wipe(body)
    wipe(bytes)
  }
}

async function refuseExposed(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const { mode } = await lstat(path)
  if ((mode & 0o077) === 0) return
  const detail = `${path}: expected mode 600, got ${(mode & 0o777).toString(8)}`
  throw new ClientError('CLIENT_STATE_UNSAFE', detail, { field: path })
}

function invalid(field: string, detail: string): ClientError {
  return new ClientError('CLIENT_KEY_FILE_INVALID', `${field}: ${detail}`, { field })
}

const jwkSchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().length(43),
  kid: z.string().optional(),
})

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

/**
 * A public key as users give it: the path of a JSON Web Key, or its `x` itself (43 characters of base64url).
 * @throws ClientError `CLIENT_KEY_FILE_INVALID`, `CLIENT_FILE_UNREADABLE`
 */
export async function readPublicKey(keyOrPath: string): Promise<Uint8Array> {
  if (/^[A-Za-z0-9_-]{43}$/.test(keyOrPath)) return parseKey(keyOrPath, 'key')
  const text = new TextDecoder().decode(await readSmallFile(keyOrPath, keyFileMaxSizeBytes))
  const jwk = jwkSchema.safeParse(parseJson(text))
  if (!jwk.success) throw invalid(keyOrPath, 'expected a JSON Web Key with kty OKP, crv Ed25519 and x')
  const publicKey = parseKey(jwk.data.x, keyOrPath)
  if (jwk.data.kid !== undefined && jwk.data.kid !== keyThumbprint(publicKey)) {
    throw invalid(keyOrPath, 'kid is not the thumbprint of x')
  }
  return publicKey
}

function parseKey(text: string, field: string): Uint8Array {
  try {
    return fromBase64Url(text)
  } catch (error) {
    if (error instanceof CryptoError) throw invalid(field, 'not canonical base64url')
    throw error
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
