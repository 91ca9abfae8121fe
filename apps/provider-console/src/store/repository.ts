// SPDX-License-Identifier: Apache-2.0
import type { Queries, SqlValue } from './database.ts'

export interface CapsuleRow {
  readonly capsuleId: string
  readonly modelId: string
  readonly modelName: string
  readonly modelVersion: number
  readonly headerHash: Uint8Array
  /** Magic, length, header and signature: all of the file that is not encrypted. */
  readonly header: Uint8Array
  readonly minimumTier: string
  readonly sealedContentKey: Uint8Array
  /** JSON: names and versions, in the order in which the enclave runs them. */
  readonly defenses: string
  readonly createdAtMs: number
}

export interface OrderRow {
  readonly orderId: string
  readonly capsuleId: string
  /** Thumbprint of the customer's key. */
  readonly customer: string
  readonly customerPublicKey: Uint8Array
  readonly units: number
  readonly unitsGranted: number
  readonly grantCount: number
  /** JSON, as it was validated when the order was made. */
  readonly terms: string
  readonly policy: string
  readonly expiresAtMs: number
  readonly createdAtMs: number
}

export interface LicenseRow {
  readonly licenseId: string
  readonly orderId: string
  readonly ledgerId: string
  readonly token: string
  readonly tokenHash: Uint8Array
  readonly identityKey: Uint8Array
  readonly units: number
  readonly tier: string
  readonly manifest: string
  readonly issuedAtMs: number
}

export interface ActivationRow {
  readonly challengeId: string
  readonly nonce: Uint8Array
  readonly requestHash: Uint8Array
  readonly response: string
  readonly licenseId: string
  readonly atMs: number
}

export interface StatementRow {
  readonly licenseId: string
  readonly seq: number
  readonly token: string
  readonly units: number
  readonly receivedAtMs: number
}

type Table = 'capsules' | 'orders' | 'licenses' | 'activations' | 'statements'

const columnOf = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const fieldOf = (column: string) => column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** A row under the names of its fields. 64-bit integers come as bigint above 2^53 only, where none of ours is. */
function fromRow<Row>(row: object): Row {
  const entries = Object.entries(row).map(([column, value]) => [
    fieldOf(column),
    typeof value === 'bigint' ? Number(value) : value,
  ])
  return Object.fromEntries(entries) as Row
}

/** Inserts a row. Field names come from our own types, never from outside. */
export async function insertRow<Row extends object>(queries: Queries, table: Table, row: Row): Promise<void> {
  const entries = Object.entries(row) as [string, SqlValue][]
  const columns = entries.map(([field]) => columnOf(field)).join(', ')
  const places = entries.map((_, index) => `$${index + 1}`).join(', ')
  await queries.query(
    `INSERT INTO ${table} (${columns}) VALUES (${places})`,
    entries.map(([, value]) => value),
  )
}

/** Rows by a condition over `$1`, `$2`…; the condition may go on with an order and a limit. */
export async function selectRows<Row>(
  queries: Queries,
  table: Table,
  condition = 'true',
  values: readonly SqlValue[] = [],
): Promise<readonly Row[]> {
  return (await queries.query<object>(`SELECT * FROM ${table} WHERE ${condition}`, values)).map((row) =>
    fromRow<Row>(row),
  )
}
