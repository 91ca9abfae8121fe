// SPDX-License-Identifier: Apache-2.0
export {
  launchWebWorkerEnclave,
  type WebWorkerEnclaveOptions,
  type WorkerLike,
} from './browser/launch-worker.ts'
export type { BundleCheck } from './bundle/bundle.ts'
export {
  BridgeError,
  type BridgeErrorCode,
  type BridgeErrorOptions,
  bridgeErrorTable,
  EnclaveError,
} from './errors.ts'
export {
  type ActivationOffer,
  type ActiveEnclave,
  EnclaveHandle,
  type EnclaveHandleOptions,
  type Inference,
  type InferOptions,
} from './host/enclave-handle.ts'
export { EnclaveSequence } from './host/enclave-sequence.ts'
export type { CallOptions } from './host/lane.ts'
export type { LaunchInfo } from './host/launch-info.ts'
export type { HostServices, SimulatedAnchor } from './host/services.ts'
export type { SimulatedMachine } from './host/start.ts'
export type { ActiveReport, UsageReport } from './protocol/requests.ts'
export type { EnclaveState, EventCode, RecordSlot, Verdict } from './protocol/words.ts'
export { memoryChannelPair } from './transports/memory-channel.ts'
export { type PortLike, portChannel } from './transports/port-channel.ts'
export { type ByteStream, type SharedRings, StreamChannel } from './transports/stream-channel.ts'
