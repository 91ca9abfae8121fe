// SPDX-License-Identifier: Apache-2.0
import { maxBlockUnits, maxUnits, minStatementEvery } from '@mlcapsule/metering'
import { z } from 'zod'
import { bytes32 } from './schema.ts'

/**
 * What the licenses of an order will say. A unit is one query of one item.
 * @see spec/tokens.md
 */
export const orderTermsSchema = z.strictObject({
  /** Units that one activation is granted at most; the rest stays for further activations. */
  grantUnits: z.int().min(1).max(maxUnits),
  /** Units that one step of the anchor covers, and so the most that a crash can lose. */
  blockMax: z.int().min(1).max(maxBlockUnits),
  /** Days from its issue after which a license ends. */
  validForDays: z.int().min(1).max(3660),
  /** Hours of running after which the enclave must have reported. */
  leasePoweredHours: z.int().min(1).max(87_600),
  /** Units between two statements. */
  statementEvery: z.int().min(minStatementEvery).max(maxUnits),
})

export type OrderTerms = Readonly<z.infer<typeof orderTermsSchema>>

/** Terms for an order that says nothing of them. */
export function defaultTerms(units: number): OrderTerms {
  return {
    grantUnits: units,
    blockMax: 100,
    validForDays: 365,
    leasePoweredHours: 8760,
    statementEvery: 1000,
  }
}

export const orderSchema = z.strictObject({
  capsuleId: bytes32,
  /** Public key of the customer, 32 bytes as base64url. */
  customerKey: bytes32,
  units: z.int().min(1).max(maxUnits),
  terms: orderTermsSchema.partial().optional(),
  /** Attestation policy, as `parsePolicy` takes it. */
  policy: z.unknown(),
  /** Days after which no challenge of this order is answered any more. */
  openForDays: z.int().min(1).max(3660).default(30),
})

export type CreateOrderInput = z.input<typeof orderSchema>
