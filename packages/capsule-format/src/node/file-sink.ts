// SPDX-License-Identifier: Apache-2.0
import { lstat } from 'node:fs/promises'
import { createDurableFile, systemCode } from '@mlcapsule/contracts/node'
import { CapsuleFormatError } from '../errors.ts'
import type { CapsuleSink } from '../sink/sink.ts'

export interface FileCapsuleSinkOptions {
  /** Replaces an existing file, in one step. Off by default. */
  readonly overwrite?: boolean
}

/**
 * Writes a capsule to a file that appears only when it is whole, and is durable then.
 * @throws CapsuleFormatError `CAPSULE_FILE_EXISTS`, `CAPSULE_WRITE_FAILED`
 */
export async function fileCapsuleSink(
  path: string,
  options: FileCapsuleSinkOptions = {},
): Promise<CapsuleSink> {
  const replace = options.overwrite === true
  // Told now rather than after the work; `commit` holds it.
  if (!replace && (await isTaken(path))) throw fileExists(path)
  const refuse = (cause: unknown): never => {
    if (systemCode(cause) === 'EEXIST') throw fileExists(path)
    const detail = `${path} cannot be written (${systemCode(cause)})`
    throw new CapsuleFormatError('CAPSULE_WRITE_FAILED', detail, { field: 'path', cause })
  }
  const file = await createDurableFile(path, { replace }).catch(refuse)
  return {
    write: (offsetBytes, bytes) => file.write(offsetBytes, bytes).catch(refuse),
    commit: () => file.commit().catch(refuse),
    abort: () => file.abort(),
  }
}

async function isTaken(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  )
}

function fileExists(path: string): CapsuleFormatError {
  return new CapsuleFormatError('CAPSULE_FILE_EXISTS', `${path} exists already`, { field: 'path' })
}
