// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises'
import { systemCode, writeFileDurably } from '@mlcapsule/contracts/node'

/** Replaces a file as a whole, owner-only: after a crash there is the old content or the new, never a mixture. */
export function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  return writeFileDurably(path, bytes, { mode: 0o600, replace: true })
}

/** The file's content, or null if there is none. @throws RangeError if it is longer than it may be */
export async function readWhole(path: string, maxSizeBytes: number): Promise<Uint8Array | null> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    // Not by the size that the file says it has: a device says 0, and a file may grow.
    const buffer = new Uint8Array(maxSizeBytes + 1)
    let sizeBytes = 0
    for (let readBytes = -1; readBytes !== 0 && sizeBytes < buffer.length; sizeBytes += readBytes) {
      readBytes = (await file.read(buffer, sizeBytes)).bytesRead
    }
    if (sizeBytes > maxSizeBytes)
      throw new RangeError(`the file has more than the ${maxSizeBytes} bytes that are allowed`)
    return buffer.slice(0, sizeBytes)
  } finally {
    await file.close()
  }
}
