// SPDX-License-Identifier: Apache-2.0
import { readdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFolder, systemCode } from '@mlcapsule/contracts/node'
import { ProviderError } from '../errors.ts'
import { makePrivateFolder } from './files.ts'

function unusable(path: string, action: string, cause: unknown): ProviderError {
  const detail = `${path}: ${action} failed (${systemCode(cause)})`
  return new ProviderError('PROVIDER_FILE_UNREADABLE', detail, { field: path, cause })
}

/** Names of the files of a folder that fit, ascending; a folder that is not there has none. @throws ProviderError `PROVIDER_FILE_UNREADABLE` */
export async function listFiles(dir: string, name: RegExp): Promise<readonly string[]> {
  try {
    return (await readdir(dir)).filter((it) => name.test(it)).sort()
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return []
    throw unusable(dir, 'reading', cause)
  }
}

/**
 * Removes a file for good: also after a loss of power it is gone.
 * @returns whether it was this call that removed it
 * @throws ProviderError `PROVIDER_FILE_UNREADABLE`
 */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path)
    await syncFolder(dirname(path))
    return true
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return false
    throw unusable(path, 'removing', cause)
  }
}

/** Makes a folder within a store, with all above it, open to their owner alone. @throws ProviderError `PROVIDER_STORE_EXPOSED` */
export async function makeStoreFolder(storeDir: string, dir: string): Promise<void> {
  for (const it of [storeDir, join(dir, '..'), dir]) await makePrivateFolder(it)
}
