// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises'
import {
  concatBytes,
  equalBytes,
  expose,
  labeledHash,
  Secret,
  type SecretKind,
  utf8Bytes,
  wipe,
} from '@mlcapsule/crypto'
import { ProviderError } from '../errors.ts'
import { readSmallFile, writeWholeFile } from '../files/files.ts'

/**
 * What a private key is for. A key file names it, and is refused for anything else:
 * `publisher` signs capsules, `authority` signs challenges and licenses, `service` is the root of what the store seals, `log`
 * signs heads of the log of measurements, `tpm` signs credentials of attestation keys of TPMs.
 */
export const keyPurposes = {
  publisher: { code: 1, kind: 'ed25519-private' },
  authority: { code: 2, kind: 'ed25519-private' },
  service: { code: 3, kind: 'prk' },
  log: { code: 4, kind: 'ed25519-private' },
  tpm: { code: 5, kind: 'ed25519-private' },
} as const satisfies Record<string, { code: number; kind: SecretKind }>

export type KeyPurpose = keyof typeof keyPurposes
export type SecretOf<Purpose extends KeyPurpose> = Secret<(typeof keyPurposes)[Purpose]['kind']>

const magic = utf8Bytes('MLCAPSULE-KEY-1\n')
const secretSizeBytes = 32
const checkSizeBytes = 8
const bodySizeBytes = magic.length + 1 + secretSizeBytes
const fileSizeBytes = bodySizeBytes + checkSizeBytes

/** Finds damage and mix-ups, not forgery: who can write the file can write a key. */
const checkOf = (body: Uint8Array) => labeledHash('provider-key-file', body).subarray(0, checkSizeBytes)

/**
 * Writes a private key: magic(16) ‖ u8 purpose ‖ secret(32) ‖ check(8), readable by its owner only.
 * @throws ProviderError `PROVIDER_KEY_FILE_EXISTS`, `PROVIDER_FILE_UNREADABLE`
 */
export async function writeKeyFile<const Purpose extends KeyPurpose>(
  path: string,
  purpose: Purpose,
  secret: SecretOf<Purpose>,
): Promise<void> {
  const { code, kind } = keyPurposes[purpose]
  const body = concatBytes(magic, Uint8Array.of(code), expose<SecretKind>(secret, kind))
  const bytes = concatBytes(body, checkOf(body))
  wipe(body)
  try {
    await writeWholeFile(path, bytes, { mode: 0o600 })
  } catch (error) {
    if (error instanceof ProviderError && error.code === 'PROVIDER_OUTPUT_EXISTS') {
      throw new ProviderError('PROVIDER_KEY_FILE_EXISTS', `${path} is already there`, { field: path })
    }
    throw error
  } finally {
    wipe(bytes)
  }
}

async function refuseExposedFile(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const { mode } = await stat(path)
  if ((mode & 0o077) === 0) return
  const detail = `${path}: expected mode 600, got ${(mode & 0o777).toString(8)}`
  throw new ProviderError('PROVIDER_KEY_FILE_EXPOSED', detail, { field: path })
}

/**
 * Reads a private key for one purpose.
 * @throws ProviderError `PROVIDER_KEY_FILE_INVALID`, `PROVIDER_KEY_FILE_EXPOSED`, `PROVIDER_FILE_UNREADABLE`
 */
export async function readKeyFile<const Purpose extends KeyPurpose>(
  path: string,
  purpose: Purpose,
): Promise<SecretOf<Purpose>> {
  const invalid = (detail: string) =>
    new ProviderError('PROVIDER_KEY_FILE_INVALID', `${path}: ${detail}`, { field: path })
  const bytes = await readSmallFile(path, 4096)
  try {
    await refuseExposedFile(path)
    if (bytes.length !== fileSizeBytes)
      throw invalid(`a key file has ${fileSizeBytes} bytes, got ${bytes.length}`)
    const body = bytes.subarray(0, bodySizeBytes)
    const isIntact =
      equalBytes(body.subarray(0, magic.length), magic) &&
      equalBytes(bytes.subarray(bodySizeBytes), checkOf(body))
    if (!isIntact) throw invalid('not an intact key file')
    const { code, kind } = keyPurposes[purpose]
    if (body[magic.length] !== code) throw invalid(`expected a ${purpose} key, got one for another purpose`)
    return Secret.fromBytes(kind, body.subarray(magic.length + 1)) as SecretOf<Purpose>
  } finally {
    wipe(bytes)
  }
}
