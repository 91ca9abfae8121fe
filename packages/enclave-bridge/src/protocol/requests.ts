// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import * as z from 'zod/mini'
import {
  bytes32,
  bytesOf,
  bytesUpTo,
  count,
  noPayloads,
  payloadRule,
  pluginEntry,
  receiptLog,
  tensorDescriptors,
  token,
} from './fields.ts'
import { bridgeLimits } from './limits.ts'
import { enclaveStates, entryNames, verdicts } from './words.ts'

const nothing = z.strictObject({})

/** What has been used, what is left, and how the ledger fares. */
const usage = z.strictObject({
  ledgerId: bytes32,
  /** SHA-256 of the license token. */
  licenseHash: bytes32,
  grantUnits: count,
  unitsSpent: count,
  unitsLeft: count,
  queryCount: count,
  /** How many times a process ended without closing; each time its open block was lost. */
  uncleanCount: count,
  /** Number of the last block that was opened. */
  block: count,
  /** Units of strict mode that are still to be served. */
  strictUnits: count,
  /** Head of the receipts so far. */
  head: bytes32,
})

const log = receiptLog

const sequenceId = z.int().check(z.minimum(1), z.maximum(bridgeLimits.sequenceIdMax))

/** A query's place in its sequence: how many were answered there before it. */
const sequencePosition = z.strictObject({ id: sequenceId, step: count })

const active = z.strictObject({
  /** The license token: receipts are verified against it. */
  license: token,
  usage,
  /** Memory that the model takes, in whole MiB: exact sizes would tell its steps and its widest layer. */
  memorySizeBytes: count,
  isa: z.string().check(z.regex(/^[a-z0-9-]{1,32}$/)),
  log,
})

/**
 * Every request that the host can make: the body with its payloads, and those of the reply.
 * `launch` belongs to the simulated platform alone: the launcher plays the hardware.
 */
export const requestSchemas = {
  launch: {
    body: z.strictObject({
      /** Deterministic CBOR of the manifest. */
      manifest: bytesUpTo(bridgeLimits.manifestMaxSizeBytes),
      /** Private key of the software root; evidence signed by it vouches for nothing. */
      rootPrivateKey: bytes32,
      platformKey: bytes32,
      anchorDescriptor: bytesUpTo(bridgeLimits.anchorDescriptorMaxSizeBytes),
      kernels: z.enum(['wasm', 'native']),
      /** File of the native kernels. Only with `kernels: native`. */
      nativeKernelsPath: z.optional(z.string().check(z.minLength(1), z.maxLength(4096))),
      threadCount: z.int().check(z.minimum(1), z.maximum(256)),
      /** Keeps the model to so much memory: weights that do not fit come anew with each query. */
      memoryBudgetSizeBytes: z.optional(
        z
          .int()
          .check(
            z.minimum(bridgeLimits.memoryBudgetMinSizeBytes),
            z.maximum(bridgeLimits.memoryBudgetMaxSizeBytes),
          ),
      ),
    }),
    payloads: noPayloads,
    reply: nothing,
    replyPayloads: noPayloads,
  },
  hello: {
    body: z.strictObject({
      versions: z.array(z.int().check(z.minimum(1))).check(z.minLength(1), z.maxLength(16)),
    }),
    payloads: noPayloads,
    reply: z.strictObject({
      version: z.int().check(z.minimum(1)),
      entry: z.enum(entryNames),
      state: z.enum(enclaveStates),
      manifestSha384: bytesOf(48),
      plugins: z.array(pluginEntry).check(z.maxLength(bridgeLimits.pluginMaxCount)),
    }),
    replyPayloads: noPayloads,
  },
  /** Payload: the capsule's first bytes: magic, length, header, signature. */
  load: {
    body: nothing,
    payloads: payloadRule(1, 1, bridgeLimits.capsulePrefixMaxSizeBytes),
    reply: z.strictObject({ capsuleId: bytes32, headerHash: bytes32 }),
    replyPayloads: noPayloads,
  },
  /** `file`: the release key is sealed into the `pending` record, so that the response may come days later. */
  beginActivation: {
    body: z.strictObject({ challenge: token, flow: z.enum(['online', 'file']) }),
    payloads: noPayloads,
    reply: z.strictObject({
      releaseKey: bytes32,
      identityKey: bytes32,
      headerHash: bytes32,
      anchor: z.nullable(bytesUpTo(bridgeLimits.anchorDescriptorMaxSizeBytes)),
      manifest: bytesUpTo(bridgeLimits.manifestMaxSizeBytes),
      platform: z.string().check(z.regex(/^[a-z][a-z0-9-]{0,31}$/)),
    }),
    replyPayloads: payloadRule(1, 1, bridgeLimits.evidenceMaxSizeBytes),
  },
  finishActivation: {
    body: z.strictObject({ response: token }),
    payloads: noPayloads,
    reply: active,
    replyPayloads: noPayloads,
  },
  resume: { body: nothing, payloads: noPayloads, reply: active, replyPayloads: noPayloads },
  /** One payload per input and per output, in the same order. A blocked query has no outputs. */
  infer: {
    body: z.strictObject({
      inputs: tensorDescriptors,
      retryId: z.optional(bytesOf(16)),
      /** Goes on from the query before it in the sequence; without one, a query begins anew. */
      sequence: z.optional(sequencePosition),
    }),
    payloads: payloadRule(0, bridgeLimits.tensorMaxCount),
    reply: z.strictObject({
      verdict: z.enum(verdicts),
      outputs: tensorDescriptors,
      /** Units charged, and units left. */
      units: count,
      unitsLeft: count,
      log,
    }),
    replyPayloads: payloadRule(0, bridgeLimits.tensorMaxCount),
  },
  /** A sequence of queries; what the model keeps for it stays in the enclave, for as long as this process lives. */
  openSequence: {
    body: nothing,
    payloads: noPayloads,
    reply: z.strictObject({ id: sequenceId }),
    replyPayloads: noPayloads,
  },
  /** Wipes what is kept. */
  closeSequence: {
    body: z.strictObject({ id: sequenceId }),
    payloads: noPayloads,
    reply: nothing,
    replyPayloads: noPayloads,
  },
  usage: { body: nothing, payloads: noPayloads, reply: usage, replyPayloads: noPayloads },
  /** Ends the open block, since a statement covers closed blocks alone. Refused before it is due. */
  statement: {
    body: nothing,
    payloads: noPayloads,
    reply: z.strictObject({ statement: token, log }),
    replyPayloads: noPayloads,
  },
  /** Ends the ledger cleanly, wipes all keys and stops. The statement is null where there was never anything to tell. */
  close: {
    body: nothing,
    payloads: noPayloads,
    reply: z.strictObject({ statement: z.nullable(token), log }),
    replyPayloads: noPayloads,
  },
} as const

export type RequestOp = keyof typeof requestSchemas
export type RequestBody<Op extends RequestOp> = z.infer<(typeof requestSchemas)[Op]['body']>
export type ReplyBody<Op extends RequestOp> = z.infer<(typeof requestSchemas)[Op]['reply']>

export type SequencePosition = Readonly<z.infer<typeof sequencePosition>>

/** What a ledger tells of itself. */
export type UsageReport = Readonly<z.infer<typeof usage>>
/** An enclave that answers queries. */
export type ActiveReport = Readonly<z.infer<typeof active>>

/** Name, dtype and shape of a tensor whose elements travel beside the message. */
export interface TensorDescriptor {
  readonly name: string
  readonly dtype: DType
  readonly shape: number[]
}
