// SPDX-License-Identifier: Apache-2.0
import { dtypes } from '@mlcapsule/contracts'
import * as z from 'zod/mini'
import { isKnownErrorCode, isKnownField } from './failures.ts'
import { bridgeLimits } from './limits.ts'

// Building blocks of the message schemas. They hold inferred types only, so they stay inside this package.

/** A count, an index or an identifier that both sides agree on. */
export const count = z.int().check(z.minimum(0))

// Not z.instanceof: its type would leave out bytes in shared memory.
const bytesWhere = (fits: (sizeBytes: number) => boolean, message: string) =>
  z.custom<Uint8Array>((it) => it instanceof Uint8Array && fits(it.length), message)

export const bytesOf = (sizeBytes: number) =>
  bytesWhere((it) => it === sizeBytes, `expected ${sizeBytes} bytes`)

export const bytesUpTo = (maxSizeBytes: number) =>
  bytesWhere((it) => it <= maxSizeBytes, `expected at most ${maxSizeBytes} bytes`)

export const bytes32 = bytesOf(32)

/** Compact JWS; what it says is checked where it is used. */
export const token = z
  .string()
  .check(
    z.maxLength(bridgeLimits.tokenMaxSizeBytes),
    z.regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/),
  )

/** Receipts (bytes) and closings of blocks (tokens), in the order in which the client has to keep them. */
export const receiptLog = z
  .array(z.union([bytesUpTo(bridgeLimits.receiptMaxSizeBytes), token]))
  .check(z.maxLength(bridgeLimits.logEntryMaxCount))

/** Dtype, shape and name; the elements are the payload in the same place. */
export const tensorDescriptor = z.strictObject({
  name: z.string().check(z.minLength(1), z.maxLength(bridgeLimits.tensorNameMaxLength)),
  dtype: z.enum(dtypes),
  shape: z
    .array(z.int().check(z.minimum(0), z.maximum(bridgeLimits.dimensionMax)))
    .check(z.maxLength(bridgeLimits.tensorMaxRank)),
})

export const tensorDescriptors = z.array(tensorDescriptor).check(z.maxLength(bridgeLimits.tensorMaxCount))

export const pluginEntry = z.strictObject({
  kind: z.string().check(z.regex(/^[a-z-]{1,32}$/)),
  name: z.string().check(z.regex(/^[a-z][a-z0-9-]{0,63}$/)),
  version: z.int().check(z.minimum(1)),
})

export const failure = z.strictObject({
  code: z.string().check(z.refine(isKnownErrorCode, 'unknown code')),
  field: z.optional(z.string().check(z.maxLength(96), z.refine(isKnownField, 'unknown field'))),
  numbers: z.optional(z.array(count).check(z.maxLength(bridgeLimits.errorNumberMaxCount))),
})

/** How many payloads belong to a message, and how large each may be. */
export interface PayloadRule {
  readonly min: number
  readonly max: number
  readonly maxSizeBytes: number
}

export const noPayloads: PayloadRule = { min: 0, max: 0, maxSizeBytes: 0 }

/** @param maxSizeBytes of each; all together are bounded for every message alike */
export function payloadRule(
  min: number,
  max: number,
  maxSizeBytes: number = bridgeLimits.payloadsMaxSizeBytes,
): PayloadRule {
  return { min, max, maxSizeBytes }
}
