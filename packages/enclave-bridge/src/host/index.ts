// SPDX-License-Identifier: Apache-2.0
export { Connection, type ConnectionOptions, type Reply } from './connection.ts'
export {
  type ActivationOffer,
  EnclaveHandle,
  type EnclaveHandleOptions,
  type Inference,
  type InferOptions,
} from './enclave-handle.ts'
export { type CallOptions, Lane } from './lane.ts'
export type { HostServices, SimulatedAnchor } from './services.ts'
