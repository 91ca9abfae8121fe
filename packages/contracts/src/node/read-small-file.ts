// SPDX-License-Identifier: Apache-2.0
import { constants, open } from 'node:fs/promises'

/**
 * Reads a file as long as it is when opened: what others add meanwhile is left out. Rejects with what the operating
 * system says, as `systemCode` reads it; also with `EFBIG` above the limit, and `ENOTSUP` for what is no plain file.
 */
export async function readSmallFile(path: string, maxSizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever. Windows does not have it.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw systemError('ENOTSUP')
    if (stat.size > maxSizeBytes) throw systemError('EFBIG')
    const bytes = new Uint8Array(stat.size)
    let sizeBytes = 0
    while (sizeBytes < bytes.length) {
      const { bytesRead } = await file.read(bytes, sizeBytes, bytes.length - sizeBytes, sizeBytes)
      if (bytesRead === 0) break
      sizeBytes += bytesRead
    }
    return bytes.subarray(0, sizeBytes)
  } finally {
    await file.close()
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}
