// SPDX-License-Identifier: Apache-2.0
import type { ReplyBody, RequestBody, RequestOp } from '../protocol/requests.ts'

export interface RequestContext {
  /** The host's clock, in milliseconds since 1970. It may make the enclave refuse; it is never stored, never trusted. */
  readonly clockHintMs: number
}

export interface Answer<Op extends RequestOp> {
  readonly body: ReplyBody<Op>
  readonly payloads?: readonly Uint8Array[]
}

/** What stands behind the door: one function per request. Bodies have passed the schema; payloads only their number. */
export type EnclaveHandlers = {
  readonly [Op in RequestOp]: (
    body: RequestBody<Op>,
    payloads: readonly Uint8Array[],
    context: RequestContext,
  ) => Promise<Answer<Op>>
} & {
  /** Wipes everything. Called once, when the door closes; a request may still be under way. */
  stop(): void
}
