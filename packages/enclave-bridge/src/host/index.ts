// SPDX-License-Identifier: Apache-2.0

export { capsulePages } from './capsule-services.ts'
export { Connection, type ConnectionOptions, type Reply } from './connection.ts'
export {
  type ActivationOffer,
  type ActiveEnclave,
  EnclaveHandle,
  type EnclaveHandleOptions,
  type Inference,
  type InferOptions,
} from './enclave-handle.ts'
export { type CallOptions, Lane } from './lane.ts'
export type { LaunchInfo } from './launch-info.ts'
export { memoryRecords } from './memory-records.ts'
export type { HostServices, SimulatedAnchor } from './services.ts'
export {
  type AttachOptions,
  attachEnclave,
  type SimulatedMachine,
  type StartOptions,
  startEnclave,
} from './start.ts'
