// SPDX-License-Identifier: Apache-2.0
// The module with relaxed SIMD has two products of bytes, and takes the one that the engine is faster at. An engine that is
// told to go without the processor's dot products of bytes gives the same.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test.each([[[]], [['--no-enable-avx']]])('products of bytes are those of the reference under %j', (own) => {
  const source = `
    import { createWasmKernels } from './wasm/index.ts'
    import { bundledModuleBytes } from './wasm/wasm-module.ts'
    import { kernelCases } from './testing/kernel-suite.ts'
    const kernels = createWasmKernels({ moduleBytes: bundledModuleBytes('relaxed-simd') })
    const cases = kernelCases(kernels, { problemCount: 60, seed: 5 })
    const products = cases.filter(({ name }) => name.startsWith('quantizedConv2d agrees'))
    for (const { run } of products) await run()
    console.log(products.length)`
  const flags = [...own, '--conditions=@mlcapsule/source', '--input-type=module', '--eval', source]
  const cwd = join(import.meta.dirname, '..')
  expect(execFileSync(process.execPath, flags, { cwd, encoding: 'utf8', timeout: 60_000 })).toBe('1\n')
})
