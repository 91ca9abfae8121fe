// SPDX-License-Identifier: Apache-2.0
import { open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

async function syncDir(path: string): Promise<void> {
  // Windows cannot open a directory; renames are durable there without.
  if (process.platform === 'win32') return
  const dir = await open(path, 'r')
  try {
    await dir.sync()
  } finally {
    await dir.close()
  }
}

/** Replaces a file as a whole, owner-only: after a crash there is the old content or the new, never a mixture. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  try {
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
  await syncDir(dirname(path))
}

/** The file's content, or null if there is none. @throws RangeError if it is longer than it may be */
export async function readWhole(path: string, maxSizeBytes: number): Promise<Uint8Array | null> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    const { size } = await file.stat()
    if (size > maxSizeBytes)
      throw new RangeError(`the file has ${size} bytes, at most ${maxSizeBytes} are allowed`)
    return new Uint8Array(await file.readFile())
  } finally {
    await file.close()
  }
}
