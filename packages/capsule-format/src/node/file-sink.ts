// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { randomBytes, toHex } from '@mlcapsule/crypto'
import { CapsuleFormatError } from '../errors.ts'
import type { CapsuleSink } from '../sink/sink.ts'
import { systemCode } from './file-source.ts'

export interface FileCapsuleSinkOptions {
  /** Replaces an existing file, in one step. Off by default. */
  readonly overwrite?: boolean
}

/**
 * Writes a capsule to a file that appears only when it is whole: a temporary file beside it, synchronized, renamed.
 * @throws CapsuleFormatError `CAPSULE_FILE_EXISTS`, `CAPSULE_WRITE_FAILED`
 */
export async function fileCapsuleSink(
  path: string,
  options: FileCapsuleSinkOptions = {},
): Promise<CapsuleSink> {
  const overwrite = options.overwrite === true
  if (!overwrite && (await exists(path))) throw fileExists(path)
  const temporary = join(dirname(path), `.${basename(path)}.${toHex(randomBytes(6))}.tmp`)
  const handle = await open(temporary, 'wx').catch((cause: unknown) => {
    throw writeFailed(path, cause)
  })
  let isOpen = true
  const close = async (): Promise<void> => {
    if (isOpen) await handle.close()
    isOpen = false
  }
  return {
    async write(offsetBytes, bytes) {
      await writeFully(handle, offsetBytes, bytes).catch((cause: unknown) => {
        throw writeFailed(path, cause)
      })
    },
    async commit() {
      try {
        await handle.sync()
        await close()
        if (overwrite) await rename(temporary, path)
        else await renameNew(temporary, path)
        await syncFolder(dirname(path))
      } catch (cause) {
        if (cause instanceof CapsuleFormatError) throw cause
        if (systemCode(cause) === 'EEXIST') throw fileExists(path)
        throw writeFailed(path, cause)
      }
    },
    async abort() {
      await close()
      await rm(temporary, { force: true })
    },
  }
}

const noHardLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])

/** Unlike rename, link never replaces a file that appeared in the meantime. */
async function renameNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if (!noHardLinks.has(systemCode(error))) throw error
    if (await exists(path)) throw fileExists(path)
    await rename(temporary, path)
    return
  }
  await rm(temporary)
}

async function writeFully(handle: FileHandle, offsetBytes: number, bytes: Uint8Array): Promise<void> {
  let doneBytes = 0
  while (doneBytes < bytes.length) {
    const { bytesWritten } = await handle.write(
      bytes,
      doneBytes,
      bytes.length - doneBytes,
      offsetBytes + doneBytes,
    )
    doneBytes += bytesWritten
  }
}

/** Makes the new name durable. Windows cannot open a folder, and needs no such step. */
async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle
  try {
    folder = await open(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'EISDIR' || systemCode(error) === 'EPERM') return
    throw error
  }
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

function fileExists(path: string): CapsuleFormatError {
  return new CapsuleFormatError('CAPSULE_FILE_EXISTS', `${path} exists already`, { field: 'path' })
}

function writeFailed(path: string, cause: unknown): CapsuleFormatError {
  const detail = `${path} cannot be written (${systemCode(cause)})`
  return new CapsuleFormatError('CAPSULE_WRITE_FAILED', detail, { field: 'path', cause })
}
