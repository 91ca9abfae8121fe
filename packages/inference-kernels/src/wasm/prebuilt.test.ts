// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest'
import { checkWasm, findWasmCompiler } from '../../tools/build-wasm.mjs'

const compiler = findWasmCompiler()

it('the committed module was built from the sources present, and its copies agree', async () => {
  const lines = await checkWasm(undefined)
  expect(lines[0]).toMatch(/agree/)
})

it.skipIf(compiler === undefined)(
  `a rebuild gives the committed bytes${compiler === undefined ? ' (skipped: no clang here)' : ''}`,
  async ({ skip }) => {
    const lines = await checkWasm(compiler)
    const verdict = lines.at(-1) ?? ''
    if (verdict.includes('NOT compared')) skip(verdict)
    expect(verdict).toMatch(/same bytes/)
  },
  120_000,
)
