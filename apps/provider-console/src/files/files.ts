// SPDX-License-Identifier: Apache-2.0
import { access, constants, lstat, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { decodeTokenFile, tokenFileMaxSizeBytes } from '@mlcapsule/attestation'
import * as node from '@mlcapsule/contracts/node'
import { ProviderError } from '../errors.ts'

function unusable(path: string, action: string, error: unknown): ProviderError {
  const detail = `${path}: ${action} failed (${node.systemCode(error)})`
  return new ProviderError('PROVIDER_FILE_UNREADABLE', detail, { field: path, cause: error })
}

/**
 * Reads a whole file that others may have written.
 * @throws ProviderError `PROVIDER_FILE_UNREADABLE`; `PROVIDER_FILE_INVALID` above the limit, and for what is no plain file
 */
export async function readSmallFile(path: string, maxSizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await node.readSmallFile(path, maxSizeBytes)
  } catch (error) {
    const systemCode = node.systemCode(error)
    if (systemCode !== 'EFBIG' && systemCode !== 'ENOTSUP') throw unusable(path, 'reading', error)
    const reason = systemCode === 'EFBIG' ? `it has more than ${maxSizeBytes} bytes` : 'it is not a file'
    throw new ProviderError('PROVIDER_FILE_INVALID', `${path}: ${reason}`, { field: path })
  }
}

/** The same, as text. @throws as `readSmallFile` */
export async function readTextFile(path: string, maxSizeBytes: number): Promise<string> {
  return new TextDecoder().decode(await readSmallFile(path, maxSizeBytes))
}

/** Reads a token file. @throws as `readSmallFile`; AttestationError `ACTIVATION_TOKEN_FILE_INVALID` */
export async function readTokenFile(path: string): Promise<string> {
  return decodeTokenFile(await readSmallFile(path, tokenFileMaxSizeBytes))
}

/**
 * Writes a whole file durably: first beside its place, then moved into it, so that it is never seen half-written.
 * @throws ProviderError `PROVIDER_OUTPUT_EXISTS`, `PROVIDER_FILE_UNREADABLE`
 */
export async function writeWholeFile(
  path: string,
  bytes: Uint8Array | string,
  options?: node.DurableFileOptions,
): Promise<void> {
  try {
    await node.writeFileDurably(path, bytes, options)
  } catch (error) {
    if (node.systemCode(error) !== 'EEXIST') throw unusable(path, 'writing', error)
    throw new ProviderError('PROVIDER_OUTPUT_EXISTS', `${path} is already there`, { field: path })
  }
}

/**
 * Finds out before work that cannot be done twice whether its result could be written.
 * @throws ProviderError `PROVIDER_OUTPUT_EXISTS`, `PROVIDER_FILE_UNREADABLE` for a folder that is not there, or not open to us
 */
export async function assertWritable(path: string, options: { readonly replace: boolean }): Promise<void> {
  const isThere = await lstat(path).then(
    () => true,
    () => false,
  )
  if (isThere && !options.replace)
    throw new ProviderError('PROVIDER_OUTPUT_EXISTS', `${path} is already there`, { field: path })
  try {
    await access(dirname(path), constants.W_OK)
  } catch (error) {
    throw unusable(path, 'writing', error)
  }
}

/**
 * Makes a folder that only its owner can enter, or checks the one that is there.
 * @throws ProviderError `PROVIDER_STORE_EXPOSED`, `PROVIDER_FILE_UNREADABLE`
 */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unusable(path, 'making the folder', error)
  }
  await assertPrivateFolder(path)
}

/** @throws ProviderError `PROVIDER_STORE_EXPOSED`, `PROVIDER_FILE_UNREADABLE` */
export async function assertPrivateFolder(path: string): Promise<void> {
  const problem = await node.privateFolderProblem(path).catch((error: unknown) => {
    throw unusable(path, 'looking at the folder', error)
  })
  if (problem === undefined) return
  throw new ProviderError('PROVIDER_STORE_EXPOSED', `${path}: ${problem}`, { field: 'store' })
}
