// SPDX-License-Identifier: Apache-2.0
import { describe, it } from 'vitest'
import { kernelCases } from '../testing/kernel-suite.ts'
import { wasmKernels } from './index.ts'

describe('wasm', () => {
  const problemCount = process.env.SLOW === '1' ? 500 : 30
  for (const { name, run } of kernelCases(wasmKernels, { problemCount })) it(name, run)
})
