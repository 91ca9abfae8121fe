// SPDX-License-Identifier: Apache-2.0
import { ProviderError } from '../errors.ts'
import type { Database } from './database.ts'

/**
 * Each entry brings the schema one version further; entries are only ever added.
 * Times are milliseconds since 1970, UTC. Tokens are kept as they were signed: they are the truth, columns are for search.
 */
const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE capsules (
      capsule_id text PRIMARY KEY,
      model_id text NOT NULL,
      model_name text NOT NULL,
      model_version integer NOT NULL,
      header_hash bytea NOT NULL,
      header bytea NOT NULL,
      minimum_tier text NOT NULL,
      sealed_content_key bytea NOT NULL,
      defenses text NOT NULL,
      created_at_ms bigint NOT NULL
    )`,
    `CREATE TABLE orders (
      order_id text PRIMARY KEY,
      capsule_id text NOT NULL REFERENCES capsules,
      customer text NOT NULL,
      customer_public_key bytea NOT NULL,
      units bigint NOT NULL CHECK (units > 0),
      units_granted bigint NOT NULL DEFAULT 0 CHECK (units_granted BETWEEN 0 AND units),
      grant_count integer NOT NULL DEFAULT 0,
      terms text NOT NULL,
      policy text NOT NULL,
      expires_at_ms bigint NOT NULL,
      created_at_ms bigint NOT NULL
    )`,
    `CREATE INDEX orders_by_customer ON orders (customer, capsule_id)`,
    `CREATE TABLE licenses (
      license_id text PRIMARY KEY,
      order_id text NOT NULL REFERENCES orders,
      ledger_id text NOT NULL UNIQUE,
      token text NOT NULL,
      token_hash bytea NOT NULL UNIQUE,
      identity_key bytea NOT NULL,
      units bigint NOT NULL,
      tier text NOT NULL,
      manifest text NOT NULL,
      issued_at_ms bigint NOT NULL
    )`,
    `CREATE INDEX licenses_by_order ON licenses (order_id)`,
    `CREATE TABLE activations (
      challenge_id text PRIMARY KEY,
      nonce bytea NOT NULL UNIQUE,
      request_hash bytea NOT NULL,
      response text NOT NULL,
      license_id text NOT NULL REFERENCES licenses,
      at_ms bigint NOT NULL
    )`,
    `CREATE TABLE statements (
      license_id text NOT NULL REFERENCES licenses,
      seq bigint NOT NULL,
      token text NOT NULL,
      units bigint NOT NULL,
      received_at_ms bigint NOT NULL,
      PRIMARY KEY (license_id, seq)
    )`,
    `CREATE TABLE refusals (
      refusal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      order_id text NOT NULL REFERENCES orders,
      code text NOT NULL,
      detail text NOT NULL,
      at_ms bigint NOT NULL
    )`,
  ],
]

/**
 * Brings the schema to this program's version.
 * @throws ProviderError `PROVIDER_STORE_UNUSABLE` for a store that a newer program has written
 */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (queries) => {
    await queries.query('CREATE TABLE IF NOT EXISTS store_meta (name text PRIMARY KEY, value text NOT NULL)')
    const rows = await queries.query<{ value: string }>(`SELECT value FROM store_meta WHERE name = 'version'`)
    const version = Number(rows[0]?.value ?? 0)
    if (version > migrations.length) {
      const detail = `the store has version ${version}, this program knows ${migrations.length}`
      throw new ProviderError('PROVIDER_STORE_UNUSABLE', detail, { field: 'store' })
    }
    if (version === migrations.length) return
    for (const statements of migrations.slice(version)) {
      for (const statement of statements) await queries.query(statement)
    }
    await queries.query(
      `INSERT INTO store_meta VALUES ('version', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [String(migrations.length)],
    )
  })
}
