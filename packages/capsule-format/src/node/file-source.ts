// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises'
import { systemCode } from '@mlcapsule/contracts/node'
import { type RandomAccessSource, sourceFailed } from '../source/source.ts'

/**
 * A capsule in a file. Close it when done.
 * @throws CapsuleFormatError `CAPSULE_SOURCE_FAILED`
 */
export async function fileSource(path: string): Promise<RandomAccessSource> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw sourceFailed(`${path} cannot be opened (${systemCode(cause)})`, cause)
  })
  const sizeBytes = await fileSize(handle, path).catch(async (error: unknown) => {
    await handle.close()
    throw error
  })
  return {
    sizeBytes,
    fileDescriptor: handle.fd,
    async read(offsetBytes, sizeBytes) {
      const bytes = new Uint8Array(sizeBytes)
      let filledBytes = 0
      while (filledBytes < sizeBytes) {
        const { bytesRead } = await handle
          .read(bytes, filledBytes, sizeBytes - filledBytes, offsetBytes + filledBytes)
          .catch((cause: unknown) => {
            throw sourceFailed(`${path} cannot be read (${systemCode(cause)})`, cause)
          })
        if (bytesRead === 0) throw sourceFailed(`${path} became shorter while it was read`)
        filledBytes += bytesRead
      }
      return bytes
    },
    close: () => handle.close(),
  }
}

async function fileSize(handle: FileHandle, path: string): Promise<number> {
  const stats = await handle.stat().catch((cause: unknown) => {
    throw sourceFailed(`${path} cannot be read (${systemCode(cause)})`, cause)
  })
  if (!stats.isFile()) throw sourceFailed(`${path} is not a file`)
  return stats.size
}
