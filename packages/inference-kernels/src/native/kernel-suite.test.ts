// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { describe, it } from 'vitest'
import { kernelCases } from '../testing/kernel-suite.ts'
import { defaultAddonPath } from './addon.ts'
import { createNativeKernels, listNativeIsas } from './index.ts'

const isas = existsSync(defaultAddonPath()) ? listNativeIsas() : []
const problemCount = process.env.SLOW === '1' ? 500 : 30

for (const isa of ['scalar', 'avx2', 'avx512', 'avx512vnni', 'neon']) {
  if (!isas.includes(isa)) {
    it.skip(`native ${isa} (skipped: not in this addon or not on this CPU)`, () => {})
    continue
  }
  describe.each([1, 2])(`native ${isa}, %i threads`, (threadCount) => {
    const options = { problemCount, threadCount, seed: threadCount }
    for (const { name, run } of kernelCases(createNativeKernels({ isa }), options)) it(name, run)
  })
}
