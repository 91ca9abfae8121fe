// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod/mini'
import { bytes32, count, receiptLog } from './fields.ts'
import { bridgeLimits } from './limits.ts'
import { blobNames, recordSlots } from './words.ts'

const nothing = z.strictObject({})
const payloads = (min: number, max: number = min) => ({ min, max })

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
    payloads: payloads(0),
    reply: nothing,
    replyPayloads: payloads(1, bridgeLimits.pagesPerCallMaxCount),
  },
  /** No payload: there is no such record. */
  readRecord: {
    body: z.strictObject({ slot: z.enum(recordSlots) }),
    payloads: payloads(0),
    reply: nothing,
    replyPayloads: payloads(0, 1),
  },
  /** Answered only when the record is durable. No payload: the record is removed. */
  writeRecord: {
    body: z.strictObject({ slot: z.enum(recordSlots) }),
    payloads: payloads(0, 1),
    reply: nothing,
    replyPayloads: payloads(0),
  },
  /** Receipts and closings that the client has to have before the ledger goes on. */
  keepLog: {
    body: z.strictObject({ log: receiptLog }),
    payloads: payloads(0),
    reply: nothing,
    replyPayloads: payloads(0),
  },
  readAnchor: {
    body: nothing,
    payloads: payloads(0),
    reply: z.strictObject({ digest: bytes32 }),
    replyPayloads: payloads(0),
  },
  extendAnchor: {
    body: z.strictObject({ digest: bytes32 }),
    payloads: payloads(0),
    reply: nothing,
    replyPayloads: payloads(0),
  },
} as const

export type CallOp = keyof typeof callSchemas
export type CallBody<Op extends CallOp> = z.infer<(typeof callSchemas)[Op]['body']>
export type CallReply<Op extends CallOp> = z.infer<(typeof callSchemas)[Op]['reply']>
