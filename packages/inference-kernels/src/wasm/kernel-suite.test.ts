// SPDX-License-Identifier: Apache-2.0
import { describe, it } from 'vitest'
import { kernelCases } from '../testing/kernel-suite.ts'
import { createWasmKernels } from './index.ts'
import { bundledModuleBytes } from './wasm-module.ts'

describe.each(['simd128', 'relaxed-simd'] as const)('wasm %s', (variant) => {
  const problemCount = process.env.SLOW === '1' ? 500 : 30
  const kernels = createWasmKernels({ moduleBytes: bundledModuleBytes(variant) })
  for (const { name, run } of kernelCases(kernels, { problemCount })) it(name, run)
})
