// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ProviderError } from '../errors.ts'

/** What the operating system calls a failure, e.g. `ENOENT`, and nothing that could hold more than that. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'unknown error'
}

function unusable(path: string, action: string, error: unknown): ProviderError {
  return new ProviderError('PROVIDER_FILE_UNREADABLE', `${path}: ${action} failed (${systemCode(error)})`, {
    field: path,
    cause: error,
  })
}

/**
 * Reads a whole file that others may have written.
 * @throws ProviderError `PROVIDER_FILE_UNREADABLE`, or `PROVIDER_FILE_INVALID` above the limit
 */
export async function readSmallFile(path: string, maxSizeBytes: number): Promise<Buffer> {
  try {
    const file = await open(path, 'r')
    try {
      const stat = await file.stat()
      if (!stat.isFile())
        throw new ProviderError('PROVIDER_FILE_INVALID', `${path} is not a file`, { field: path })
      // One byte more than allowed: the file may grow after stat.
      const buffer = Buffer.alloc(Math.min(stat.size, maxSizeBytes) + 1)
      let sizeBytes = 0
      while (sizeBytes < buffer.length) {
        const { bytesRead } = await file.read(buffer, sizeBytes, buffer.length - sizeBytes, sizeBytes)
        if (bytesRead === 0) break
        sizeBytes += bytesRead
      }
      if (stat.size > maxSizeBytes || sizeBytes > maxSizeBytes) {
        const detail = `${path}: expected at most ${maxSizeBytes} bytes, got ${Math.max(stat.size, sizeBytes)}`
        throw new ProviderError('PROVIDER_FILE_INVALID', detail, { field: path })
      }
      return buffer.subarray(0, sizeBytes)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw error instanceof ProviderError ? error : unusable(path, 'reading', error)
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
 * @throws ProviderError `PROVIDER_OUTPUT_EXISTS`, `PROVIDER_FILE_UNREADABLE`
 */
export async function writeWholeFile(
  path: string,
  bytes: Uint8Array | string,
  options: WriteOptions = {},
): Promise<void> {
  const { mode = 0o644, replace = false } = options
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
  } catch (error) {
    if (systemCode(error) === 'EEXIST') {
      throw new ProviderError('PROVIDER_OUTPUT_EXISTS', `${path} is already there`, { field: path })
    }
    throw unusable(path, 'writing', error)
  } finally {
    await rm(temporary, { force: true })
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Makes a folder that only its owner can enter. One that exists is left as it is. */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unusable(path, 'making the folder', error)
  }
}
