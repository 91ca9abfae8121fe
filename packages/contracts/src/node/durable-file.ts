// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFolder } from './sync-folder.ts'
import { systemCode } from './system-code.ts'

export interface DurableFileOptions {
  /** Permission bits of the new file, less the process's umask. 0o644 when absent. */
  readonly mode?: number
  /** Whether what is there may be replaced, in one step. It is not when absent: `commit` then fails with `EEXIST`. */
  readonly replace?: boolean
}

/**
 * A file that is not at its path before it is whole; where there are no hard links, a new one is empty there for a moment.
 * The first failure ends it, and takes its temporary file away.
 */
export interface DurableFile {
  /** Writes all the bytes at an offset. Writes may come in any order. */
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>
  /** Makes the file durable and puts it at its path. What it replaced stays replaced should the folder's sync alone fail. */
  commit(): Promise<void>
  /** Gives the file up. Does nothing after `commit` or a failure. */
  abort(): Promise<void>
}

/**
 * Begins a file beside its path, under a temporary name. Every method rejects with what the operating system says, as
 * `systemCode` reads it; callers turn that into their own coded errors.
 */
export async function createDurableFile(
  path: string,
  { mode = 0o644, replace = false }: DurableFileOptions = {},
): Promise<DurableFile> {
  // Without the file's own name in it, which may be as long as a name can be.
  const temporary = join(dirname(path), `.mlcapsule-${randomBytes(6).toString('hex')}.tmp`)
  const handle = await open(temporary, 'wx', mode)
  let isOpen = true
  const close = async (): Promise<void> => {
    if (!isOpen) return
    isOpen = false
    await handle.close()
  }
  const abort = async (): Promise<void> => {
    try {
      await close()
    } finally {
      await rm(temporary, { force: true })
    }
  }
  const place = async (): Promise<void> => {
    if (replace) {
      await rename(temporary, path)
      await syncFolder(dirname(path))
    } else {
      await renameToFreePath(temporary, path)
      await orUndo(
        () => syncFolder(dirname(path)),
        () => rm(path, { force: true }),
      )
    }
  }
  return {
    write: (offsetBytes, bytes) => orUndo(() => writeFully(handle, offsetBytes, bytes), abort),
    commit: () =>
      orUndo(async () => {
        await handle.sync()
        await close()
        await place()
      }, abort),
    abort,
  }
}

/** Writes a whole file durably: after a crash there is what was there before, or all the bytes. Rejects as `createDurableFile`. */
export async function writeFileDurably(
  path: string,
  bytes: Uint8Array | string,
  options?: DurableFileOptions,
): Promise<void> {
  const file = await createDurableFile(path, options)
  await file.write(0, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes)
  await file.commit()
}

/** Does something; should it fail, takes back what led up to it. The first failure is the one that is told of. */
async function orUndo(act: () => Promise<void>, undo: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    await undo().catch(() => undefined)
    throw error
  }
}

async function writeFully(handle: FileHandle, offsetBytes: number, bytes: Uint8Array): Promise<void> {
  let doneBytes = 0
  while (doneBytes < bytes.length) {
    const left = bytes.length - doneBytes
    const { bytesWritten } = await handle.write(bytes, doneBytes, left, offsetBytes + doneBytes)
    doneBytes += bytesWritten
  }
}

/** What file systems without hard links (FAT, some of FUSE) answer to `link`. */
const noHardLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])

/** Unlike rename, link never replaces a file that appeared in the meantime. */
async function renameToFreePath(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if (!noHardLinks.has(systemCode(error))) throw error
    // An empty file takes the path first: here too, nobody else's file is ever replaced.
    await (await open(path, 'wx')).close()
    await orUndo(
      () => rename(temporary, path),
      () => rm(path, { force: true }),
    )
    return
  }
  await rm(temporary)
}
