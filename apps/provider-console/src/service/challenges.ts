// SPDX-License-Identifier: Apache-2.0
import { challengeMaxLifetimeSeconds, createChallenge } from '@mlcapsule/attestation'
import { fromBase64Url } from '@mlcapsule/crypto'
import { z } from 'zod'
import type { ServiceContext } from './context.ts'
import { findOpenOrder } from './orders.ts'
import { bytes32, parseWith } from './schema.ts'

/** Online: the enclave answers at once. */
export const onlineChallengeLifetimeSeconds = 600
/** As a file: it has to be carried there and back. */
export const fileChallengeLifetimeSeconds = 7 * 86_400

/** What a client sends to be challenged. */
export const challengeRequestSchema = z.strictObject({
  capsuleId: bytes32,
  /** Thumbprint of the customer's key. */
  customer: bytes32,
  /** Name of an order, where the customer has several. */
  order: z.string().min(1).max(64).optional(),
})

const issueSchema = challengeRequestSchema.extend({
  lifetimeSeconds: z.int().min(1).max(challengeMaxLifetimeSeconds).default(onlineChallengeLifetimeSeconds),
})

export interface IssuedChallenge {
  /** Compact JWS of type `mlc-challenge+jwt`. */
  readonly challenge: string
  readonly order: string
  readonly expiresAtMs: number
}

/**
 * Issues a challenge for an open order. Nothing is stored: its signature is what the service knows it by, and the answer
 * is what is remembered. So no number of unanswered challenges can fill the store or keep a customer out.
 * @throws ProviderError `PROVIDER_REQUEST_INVALID`, `PROVIDER_ORDER_UNKNOWN`, `PROVIDER_ORDER_SPENT`
 */
export async function issueChallenge(context: ServiceContext, input: unknown): Promise<IssuedChallenge> {
  const { lifetimeSeconds, order: orderId, ...wanted } = parseWith(issueSchema, input)
  const order = await findOpenOrder(context, { ...wanted, orderId })
  const challenge = await createChallenge({
    authority: context.authority,
    customerKey: order.customerPublicKey,
    order: order.orderId,
    capsuleId: fromBase64Url(order.capsuleId),
    purpose: 'activate',
    nowMs: context.now(),
    lifetimeSeconds,
  })
  return { challenge: challenge.token, order: order.orderId, expiresAtMs: challenge.claims.exp * 1000 }
}
