// SPDX-License-Identifier: Apache-2.0

export type SqlValue = string | number | boolean | Uint8Array | null

/** Runs statements. The SQL is kept to what PostgreSQL 15 has; parameters are `$1`, `$2`… */
export interface Queries {
  query<Row extends object>(sql: string, values?: readonly SqlValue[]): Promise<readonly Row[]>
}

/** The one door to the database. PGlite stands behind it; a PostgreSQL server could. */
export interface Database extends Queries {
  /** Runs the work in one transaction, which ends with it: committed when it resolves, undone when it rejects. */
  transaction<Result>(work: (queries: Queries) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}
