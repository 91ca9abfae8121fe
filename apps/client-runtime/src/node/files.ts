// SPDX-License-Identifier: Apache-2.0
import { decodeTokenFile, tokenFileMaxSizeBytes } from '@mlcapsule/attestation'
import * as node from '@mlcapsule/contracts/node'
import { ClientError } from '../errors.ts'

/**
 * Reads a whole file that others may have written.
 * @throws ClientError `CLIENT_FILE_UNREADABLE`; `CLIENT_FILE_INVALID` above the limit, and for what is no plain file
 */
export async function readSmallFile(path: string, maxSizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await node.readSmallFile(path, maxSizeBytes)
  } catch (cause) {
    const systemCode = node.systemCode(cause)
    if (systemCode === 'EFBIG' || systemCode === 'ENOTSUP') {
      const reason = systemCode === 'EFBIG' ? `it has more than ${maxSizeBytes} bytes` : 'it is not a file'
      throw new ClientError('CLIENT_FILE_INVALID', `${path}: ${reason}`, { field: path })
    }
    const detail = `${path}: reading failed (${systemCode})`
    throw new ClientError('CLIENT_FILE_UNREADABLE', detail, { field: path, cause })
  }
}

/** The file's bytes, or undefined where there is no such file. @throws as `readSmallFile` */
export async function readIfThere(
  path: string,
  maxSizeBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await readSmallFile(path, maxSizeBytes)
  } catch (error) {
    if (error instanceof ClientError && node.systemCode(error.cause) === 'ENOENT') return undefined
    throw error
  }
}

/** Reads a token file. @throws as `readSmallFile`; AttestationError `ACTIVATION_TOKEN_FILE_INVALID` */
export async function readTokenFile(path: string): Promise<string> {
  return decodeTokenFile(await readSmallFile(path, tokenFileMaxSizeBytes))
}

/** The token of the file, or undefined where there is no such file. @throws as `readTokenFile` */
export async function readTokenFileIfThere(path: string): Promise<string | undefined> {
  const bytes = await readIfThere(path, tokenFileMaxSizeBytes)
  return bytes === undefined ? undefined : decodeTokenFile(bytes)
}

/**
 * Writes a whole file durably: first beside its place, then moved into it, so that it is never seen half-written.
 * @throws ClientError `CLIENT_OUTPUT_EXISTS`, `CLIENT_FILE_NOT_WRITTEN`
 */
export async function writeWholeFile(
  path: string,
  bytes: Uint8Array | string,
  options?: node.DurableFileOptions,
): Promise<void> {
  try {
    await node.writeFileDurably(path, bytes, options)
  } catch (cause) {
    const systemCode = node.systemCode(cause)
    if (systemCode === 'EEXIST') {
      throw new ClientError('CLIENT_OUTPUT_EXISTS', `${path} is already there`, { field: path })
    }
    const detail = `${path}: writing failed (${systemCode})`
    throw new ClientError('CLIENT_FILE_NOT_WRITTEN', detail, { field: path, cause })
  }
}
