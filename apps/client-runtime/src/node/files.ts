// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ClientError } from '../errors.ts'

/** What the operating system calls a failure, e.g. `ENOENT`, and nothing that could hold more than that. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'unknown error'
}

/**
 * Reads a whole file that others may have written.
 * @throws ClientError `CLIENT_FILE_UNREADABLE`; `CLIENT_FILE_INVALID` above the limit
 */
export async function readSmallFile(path: string, maxSizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const stat = await file.stat()
    if (!stat.isFile()) throw new ClientError('CLIENT_FILE_INVALID', `${path} is not a file`, { field: path })
    // One byte more than allowed: the file may grow after stat.
    const bytes = new Uint8Array(Math.min(stat.size, maxSizeBytes) + 1)
    let sizeBytes = 0
    while (sizeBytes < bytes.length) {
      const { bytesRead } = await file.read(bytes, sizeBytes, bytes.length - sizeBytes, sizeBytes)
      if (bytesRead === 0) break
      sizeBytes += bytesRead
    }
    const foundSizeBytes = Math.max(stat.size, sizeBytes)
    if (foundSizeBytes > maxSizeBytes) {
      const detail = `${path}: expected at most ${maxSizeBytes} bytes, got ${foundSizeBytes}`
      throw new ClientError('CLIENT_FILE_INVALID', detail, { field: path })
    }
    return bytes.subarray(0, sizeBytes)
  } catch (cause) {
    if (cause instanceof ClientError) throw cause
    const detail = `${path}: reading failed (${systemCode(cause)})`
    throw new ClientError('CLIENT_FILE_UNREADABLE', detail, { field: path, cause })
  } finally {
    await file?.close()
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
    if (error instanceof ClientError && systemCode(error.cause) === 'ENOENT') return undefined
    throw error
  }
}

export interface WriteOptions {
  /** 0o644 when absent. */
  readonly mode?: number
  /** Whether a file that is there may be replaced. It is not when absent. */
  readonly replace?: boolean
}

/**
 * Writes a whole file durably: first beside its place, then moved into it, so that it is never seen half-written.
 * @throws ClientError `CLIENT_OUTPUT_EXISTS`, `CLIENT_FILE_NOT_WRITTEN`
 */
export async function writeWholeFile(
  path: string,
  bytes: Uint8Array | string,
  { mode = 0o644, replace = false }: WriteOptions = {},
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    // `link` refuses to replace, in one step; `rename` replaces, in one step.
    if (replace) await rename(temporary, path)
    else await link(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') {
      throw new ClientError('CLIENT_OUTPUT_EXISTS', `${path} is already there`, { field: path })
    }
    const detail = `${path}: writing failed (${systemCode(cause)})`
    throw new ClientError('CLIENT_FILE_NOT_WRITTEN', detail, { field: path, cause })
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Makes renames and new names in a folder durable. Windows neither needs nor allows it. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
