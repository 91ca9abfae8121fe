// SPDX-License-Identifier: Apache-2.0
import { PGlite } from '@electric-sql/pglite'
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

/**
 * PostgreSQL inside this process, over files of a folder. It runs one transaction at a time.
 * The caller holds the store's lock: two instances over one folder lose rows.
 */
export async function openPgliteDatabase(dataDir: string): Promise<Database> {
  const pglite = await PGlite.create({ dataDir })
  return {
    ...queriesOf(pglite),
    transaction: (work) => pglite.transaction((transaction) => work(queriesOf(transaction))),
    close: () => pglite.close(),
  }
}
