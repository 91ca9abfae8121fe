// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { deriveCommitment, type Secret, toHex } from '@mlcapsule/crypto'
import { ProviderError } from '../errors.ts'
import { assertPrivateFolder } from '../files/files.ts'
import type { Database } from './database.ts'
import { lockStore } from './lock.ts'
import { storePaths } from './paths.ts'
import { openPgliteDatabase } from './pglite-database.ts'
import { migrate } from './schema.ts'

/**
 * Opens the database of a store folder, exclusively. The first opening ties it to the service key.
 * @throws ProviderError `PROVIDER_STORE_LOCKED`, `PROVIDER_STORE_UNUSABLE`
 */
export async function openStore(storeDir: string, serviceKey: Secret<'prk'>): Promise<Database> {
  const lock = await lockStore(storeDir)
  let database: Database | undefined
  try {
    database = await openPgliteDatabase(storePaths(storeDir).databaseDir)
    await migrate(database)
    await tieToServiceKey(database, serviceKey)
  } catch (error) {
    await database?.close()
    lock.release()
    throw error
  }
  const opened = database
  return {
    ...opened,
    async close() {
      try {
        await opened.close()
      } finally {
        lock.release()
      }
    },
  }
}

async function tieToServiceKey(database: Database, serviceKey: Secret<'prk'>): Promise<void> {
  const check = toHex(deriveCommitment(serviceKey, 'provider-store', new Uint8Array(0)))
  await database.query(`INSERT INTO store_meta VALUES ('service-key', $1) ON CONFLICT (name) DO NOTHING`, [
    check,
  ])
  const rows = await database.query<{ value: string }>(
    `SELECT value FROM store_meta WHERE name = 'service-key'`,
  )
  if (rows[0]?.value === check) return
  throw new ProviderError('PROVIDER_STORE_UNUSABLE', 'the store was made with another service key', {
    field: 'store',
  })
}

/**
 * @throws ProviderError `PROVIDER_STORE_UNUSABLE` for a folder that keygen has not made, `PROVIDER_STORE_EXPOSED` for one
 * that is open to others: the database and the socket of the service rely on it
 */
export async function requireStoreFolder(storeDir: string): Promise<void> {
  if (!existsSync(storePaths(storeDir).privateKey('service'))) {
    throw new ProviderError('PROVIDER_STORE_UNUSABLE', `${storeDir} holds no service key`, { field: 'store' })
  }
  await assertPrivateFolder(storeDir)
}
