// SPDX-License-Identifier: Apache-2.0
import { parsePolicy } from '@mlcapsule/attestation'
import { fromBase64Url, keyThumbprint, randomBytes, toHex } from '@mlcapsule/crypto'
import { ProviderError } from '../errors.ts'
import type { Queries } from '../store/database.ts'
import { insertRow, type OrderRow, selectRows } from '../store/repository.ts'
import { findCapsule } from './capsules.ts'
import type { ServiceContext } from './context.ts'
import { defaultTerms, orderSchema } from './order-terms.ts'
import { parseWith } from './schema.ts'

const dayMs = 86_400_000

export interface OrderSummary {
  readonly orderId: string
  readonly capsuleId: string
  /** Thumbprint of the customer's key. */
  readonly customer: string
  readonly units: number
  readonly unitsGranted: number
  readonly grantCount: number
  readonly policy: string
  /** Entries that get a key although nothing isolates them from the owner of the machine. */
  readonly allowUnattested: readonly string[]
  readonly expiresAtMs: number
  readonly createdAtMs: number
}

export function orderSummary(row: OrderRow): OrderSummary {
  const policy = parsePolicy(JSON.parse(row.policy))
  const { orderId, capsuleId, customer, units, unitsGranted, grantCount, expiresAtMs, createdAtMs } = row
  return {
    ...{ orderId, capsuleId, customer, units, unitsGranted, grantCount, expiresAtMs, createdAtMs },
    policy: policy.name,
    allowUnattested: policy.allowUnattested,
  }
}

/**
 * Records what a customer may have: so many units of one capsule, on enclaves that a policy accepts. Activations consume
 * it by parts, and the sum of their grants never exceeds it.
 * @throws ProviderError `PROVIDER_REQUEST_INVALID`, `PROVIDER_CAPSULE_UNKNOWN`; AttestationError `POLICY_*`
 */
export async function createOrder(context: ServiceContext, input: unknown): Promise<OrderSummary> {
  const order = parseWith(orderSchema, input)
  const customerPublicKey = fromBase64Url(order.customerKey)
  const policy = parsePolicy(
    order.policy,
    context.platforms.map(({ verifier }) => verifier),
  )
  const given = Object.entries(order.terms ?? {}).filter(([, value]) => value !== undefined)
  const terms = { ...defaultTerms(order.units), ...Object.fromEntries(given) }
  const nowMs = context.now()
  const row: OrderRow = {
    orderId: `order-${toHex(randomBytes(8))}`,
    capsuleId: order.capsuleId,
    customer: keyThumbprint(customerPublicKey),
    customerPublicKey,
    units: order.units,
    unitsGranted: 0,
    grantCount: 0,
    terms: JSON.stringify(terms),
    policy: JSON.stringify(policy),
    expiresAtMs: nowMs + order.openForDays * dayMs,
    createdAtMs: nowMs,
  }
  await context.database.transaction(async (queries) => {
    await findCapsule(queries, row.capsuleId)
    await insertRow(queries, 'orders', row)
  })
  return orderSummary(row)
}

const unknownOrder = (field: string) =>
  new ProviderError('PROVIDER_ORDER_UNKNOWN', 'there is no open order for this customer and capsule', {
    field,
  })

/** The order of a challenge, locked until the transaction ends. @throws ProviderError `PROVIDER_ORDER_UNKNOWN` */
export async function lockOrder(queries: Queries, orderId: string): Promise<OrderRow> {
  const [row] = await selectRows<OrderRow>(queries, 'orders', 'order_id = $1 FOR UPDATE', [orderId])
  if (row === undefined) throw unknownOrder('order')
  return row
}

/** @throws ProviderError `PROVIDER_ORDER_SPENT` for an order with nothing left to grant, or past its end */
export function assertOrderOpen(order: OrderRow, nowMs: number): void {
  const isOver = nowMs >= order.expiresAtMs
  if (!isOver && order.unitsGranted < order.units) return
  const detail = isOver
    ? `order ${order.orderId} ended at ${new Date(order.expiresAtMs).toISOString()}`
    : `all ${order.units} queries of order ${order.orderId} have been granted`
  throw new ProviderError('PROVIDER_ORDER_SPENT', detail, { field: 'order' })
}

/**
 * The order that a customer's next activation consumes: the one asked for, or the oldest with something left.
 * @throws ProviderError `PROVIDER_ORDER_UNKNOWN`, `PROVIDER_ORDER_SPENT`
 */
export async function findOpenOrder(
  context: ServiceContext,
  wanted: { readonly capsuleId: string; readonly customer: string; readonly orderId?: string | undefined },
): Promise<OrderRow> {
  const rows = await selectRows<OrderRow>(
    context.database,
    'orders',
    'capsule_id = $1 AND customer = $2 ORDER BY created_at_ms, order_id',
    [wanted.capsuleId, wanted.customer],
  )
  const matching = wanted.orderId === undefined ? rows : rows.filter((row) => row.orderId === wanted.orderId)
  const nowMs = context.now()
  const open = matching.find((row) => nowMs < row.expiresAtMs && row.unitsGranted < row.units)
  if (open !== undefined) return open
  const last = matching.at(-1)
  if (last === undefined) throw unknownOrder('customer')
  assertOrderOpen(last, nowMs)
  return last
}

export async function listOrders(context: ServiceContext): Promise<readonly OrderSummary[]> {
  const rows = await selectRows<OrderRow>(context.database, 'orders', 'true ORDER BY created_at_ms, order_id')
  return rows.map(orderSummary)
}
