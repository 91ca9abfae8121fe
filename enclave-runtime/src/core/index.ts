// SPDX-License-Identifier: Apache-2.0
// All that the entries need, in one pure file: they bring a channel and nothing else.
export {
  type ByteStream,
  type PortLike,
  portChannel,
  type SharedRings,
  StreamChannel,
} from '@mlcapsule/enclave-bridge/enclave'
export { createWasmKernels } from '../compose.ts'
export { createEnclave, type Enclave } from './enclave.ts'
export type { Host } from './host.ts'
export { type IsolatedPlatformOptions, isolatedPlatform } from './isolated-platform.ts'
export type { Platform } from './platform.ts'
export { type ServeOptions, servePlatform, serveSimulated } from './serve.ts'
