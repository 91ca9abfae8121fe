// SPDX-License-Identifier: Apache-2.0
// For tests alone: everything else launches the built files.
export { plugins, wasmKernels } from './compose.ts'
export { createEnclave, type Enclave } from './core/enclave.ts'
export type { Host } from './core/host.ts'
export type { Platform } from './core/platform.ts'
export { type ServeOptions, serveSimulated } from './core/serve.ts'
