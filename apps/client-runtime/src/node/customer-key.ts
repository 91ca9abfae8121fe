// SPDX-License-Identifier: Apache-2.0
import { lstat } from 'node:fs/promises'
import {
  concatBytes,
  cryptoReady,
  equalBytes,
  expose,
  generateSigningKeyPair,
  labeledHash,
  Secret,
  type SigningKeyPair,
  signingKeyPairFrom,
  utf8Bytes,
  wipe,
} from '@mlcapsule/crypto'
import { ClientError } from '../errors.ts'
import { readIfThere, writeWholeFile } from './files.ts'

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
