// SPDX-License-Identifier: Apache-2.0
import { BridgeError } from '../errors.ts'
import type { CallBody, CallOp } from '../protocol/calls.ts'
import type { CallAnswer } from './connection.ts'
import { type KeepLog, logEntries } from './receipt-log.ts'
import type { HostServices, SimulatedAnchor } from './services.ts'

interface Available {
  readonly services: HostServices
  readonly anchor: SimulatedAnchor | undefined
  readonly keepLog: KeepLog
}

type Servers = {
  readonly [Op in CallOp]: (
    available: Available,
    body: CallBody<Op>,
    payloads: readonly Uint8Array[],
  ) => Promise<CallAnswer>
}

function anchorOf({ anchor }: Available): SimulatedAnchor {
  if (anchor !== undefined) return anchor
  throw new BridgeError('BRIDGE_OPTION_INVALID', 'this platform keeps no anchor on the host', {
    field: 'anchor',
  })
}

const servers: Servers = {
  async readPages({ services }, { blob, first, count }) {
    return { body: {}, payloads: await services.readPages(blob, first, count) }
  },
  async readRecord({ services }, { slot }) {
    const record = await services.readRecord(slot)
    return { body: {}, payloads: record === null ? [] : [record] }
  },
  async writeRecord({ services }, { slot }, payloads) {
    await services.writeRecord(slot, payloads[0] ?? null)
    return { body: {} }
  },
  async keepLog({ keepLog }, { log }) {
    await keepLog(logEntries(log))
    return { body: {} }
  },
  async readAnchor(available) {
    return { body: { digest: await anchorOf(available).read() } }
  },
  async extendAnchor(available, { digest }) {
    await anchorOf(available).extend(digest)
    return { body: {} }
  },
}

/** Serves one call of the enclave with the host's services. */
export function serveCall(
  available: Available,
  op: CallOp,
  body: CallBody<CallOp>,
  payloads: readonly Uint8Array[],
): Promise<CallAnswer> {
  const serve = servers[op] as (
    available: Available,
    body: CallBody<CallOp>,
    payloads: readonly Uint8Array[],
  ) => Promise<CallAnswer>
  return serve(available, body, payloads)
}
