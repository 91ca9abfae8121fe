// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod/mini'
import { bytes32, count, noPayloads, payloadRule, receiptLog } from './fields.ts'
import { bridgeLimits } from './limits.ts'
import { blobNames, recordSlots } from './words.ts'

const nothing = z.strictObject({})

/**
 * Everything that the enclave may ask the host for. Answers are untrusted, but for the two about the anchor, which exist
 * on the simulated platform alone: there the host plays the hardware.
 */
export const callSchemas = {
  /** One payload per page: ciphertext and tag. */
  readPages: {
    body: z.strictObject({
      blob: z.enum(blobNames),
      first: count,
      count: z.int().check(z.minimum(1), z.maximum(bridgeLimits.pagesPerCallMaxCount)),
    }),
    payloads: noPayloads,
    reply: nothing,
    replyPayloads: payloadRule(1, bridgeLimits.pagesPerCallMaxCount, bridgeLimits.sealedPageMaxSizeBytes),
  },
  /** No payload: there is no such record. */
  readRecord: {
    body: z.strictObject({ slot: z.enum(recordSlots) }),
    payloads: noPayloads,
    reply: nothing,
    replyPayloads: payloadRule(0, 1, bridgeLimits.recordMaxSizeBytes),
  },
  /** Answered only when the record is durable. No payload: the record is removed. */
  writeRecord: {
    body: z.strictObject({ slot: z.enum(recordSlots) }),
    payloads: payloadRule(0, 1, bridgeLimits.recordMaxSizeBytes),
    reply: nothing,
    replyPayloads: noPayloads,
  },
  /** Receipts and closings that the client has to have before the ledger goes on. */
  keepLog: {
    body: z.strictObject({ log: receiptLog }),
    payloads: noPayloads,
    reply: nothing,
    replyPayloads: noPayloads,
  },
  readAnchor: {
    body: nothing,
    payloads: noPayloads,
    reply: z.strictObject({ digest: bytes32 }),
    replyPayloads: noPayloads,
  },
  extendAnchor: {
    body: z.strictObject({ digest: bytes32 }),
    payloads: noPayloads,
    reply: nothing,
    replyPayloads: noPayloads,
  },
} as const

export type CallOp = keyof typeof callSchemas
export type CallBody<Op extends CallOp> = z.infer<(typeof callSchemas)[Op]['body']>
export type CallReply<Op extends CallOp> = z.infer<(typeof callSchemas)[Op]['reply']>
