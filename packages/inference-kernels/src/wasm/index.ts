// SPDX-License-Identifier: Apache-2.0

export type { KernelThread, StartThread, ThreadEvents, ThreadTask } from '../threads/threads.ts'
export { createWasmKernels, type WasmKernelsOptions, wasmKernels } from './create-wasm-kernels.ts'
