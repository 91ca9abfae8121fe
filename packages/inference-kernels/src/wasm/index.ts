// SPDX-License-Identifier: Apache-2.0

export { createWasmKernels, wasmKernels } from './wasm-kernels.ts'
