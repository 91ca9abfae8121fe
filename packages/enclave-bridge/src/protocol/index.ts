// SPDX-License-Identifier: Apache-2.0
export { BridgeError, type BridgeErrorCode, type BridgeErrorOptions } from '../errors.ts'
export { type CallBody, type CallOp, type CallReply, callSchemas } from './calls.ts'
export type { Channel, ChannelListener, Frame, SendOptions } from './channel.ts'
export {
  assertPayloads,
  decodeEnclaveMessage,
  decodeHostMessage,
  type EnclaveMessage,
  encodeMessage,
  type HostMessage,
  type Received,
} from './envelope.ts'
export { type Failure, fromFailure, isKnownErrorCode, isKnownField, toFailure } from './failures.ts'
export { bridgeLimits } from './limits.ts'
export {
  type ActiveReport,
  type ReplyBody,
  type RequestBody,
  type RequestOp,
  requestSchemas,
  type SequencePosition,
  type TensorDescriptor,
  type UsageReport,
} from './requests.ts'
export { joinTensors, type NamedTensors, splitTensors } from './tensors.ts'
export {
  bridgeVersions,
  type EnclaveState,
  type EventCode,
  enclaveStates,
  entryNames,
  errorFields,
  eventCodes,
  type RecordSlot,
  recordSlots,
  type Verdict,
  verdicts,
} from './words.ts'
