// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs'
import { type FolderHolder, lockFolder } from '@mlcapsule/contracts/node'
import { ProviderError } from '../errors.ts'

/** Only one process may have the database open: a second one would lose rows without a word. */
export interface StoreLock {
  release(): void
}

function refusal(storeDir: string, { pid, isHere, lockPath }: FolderHolder): ProviderError {
  const where = isHere
    ? `process ${pid}`
    : `a process of another machine or container (if it is gone, remove ${lockPath})`
  return new ProviderError('PROVIDER_STORE_LOCKED', `${storeDir} is in use by ${where}`, { field: 'store' })
}

/**
 * Takes the exclusive lock of a store folder, also over from a process that died with it.
 * @throws ProviderError `PROVIDER_STORE_LOCKED`
 */
export async function lockStore(storeDir: string): Promise<StoreLock> {
  mkdirSync(storeDir, { recursive: true, mode: 0o700 })
  const lock = await lockFolder(storeDir)
  if (!lock.taken) throw refusal(storeDir, lock.holder)
  return lock
}
