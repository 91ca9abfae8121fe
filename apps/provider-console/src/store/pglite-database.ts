// SPDX-License-Identifier: Apache-2.0
import type { Database, Queries, SqlValue } from './database.ts'

interface Runner {
  query<Row>(sql: string, values?: unknown[]): Promise<{ rows: Row[] }>
}

function queriesOf(runner: Runner): Queries {
  return {
    query: async <Row extends object>(sql: string, values: readonly SqlValue[] = []) =>
      (await runner.query<Row>(sql, [...values])).rows,
  }
}

/** PostgreSQL's own default, 128 MB, would be a hundred times what a store holds. */
const cacheSizeMb = 2

/**
 * PostgreSQL inside this process, over files of a folder. It runs one transaction at a time.
 * The caller holds the store's lock: two instances over one folder lose rows.
 */
export async function openPgliteDatabase(dataDir: string): Promise<Database> {
  // Only here: a command that the running service acts for has no use for it.
  const { PGlite } = await import('@electric-sql/pglite')
  const pglite = await PGlite.create({ dataDir, postgresqlconf: [`shared_buffers=${cacheSizeMb}MB`] })
  return {
    ...queriesOf(pglite),
    transaction: (work) => pglite.transaction((transaction) => work(queriesOf(transaction))),
    close: () => pglite.close(),
  }
}
