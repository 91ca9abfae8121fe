// SPDX-License-Identifier: Apache-2.0
// Random programs whose course depends on data: sessions against an interpreter that plans nothing.
import { existsSync } from 'node:fs'
import type { Tensor } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultAddonPath } from '../native/addon.ts'
import { createNativeKernels } from '../native/index.ts'
import { decodeProgram } from '../program/decode.ts'
import { encodeProgram } from '../program/encode.ts'
import { referenceKernels } from '../reference/index.ts'
import { interpretProgram } from '../testing/interpret-program.ts'
import { SeededRandom } from '../testing/random.ts'
import { randomDynamicProgram, randomQuery } from '../testing/random-dynamic-program.ts'
import { wasmKernels } from '../wasm/index.ts'
import { createSession } from './create-session.ts'

const factor = process.env.SLOW === '1' ? 30 : 1
const backends = [
  { name: 'reference', kernels: referenceKernels, numRuns: 150 * factor },
  { name: 'wasm', kernels: wasmKernels, numRuns: 150 * factor },
  // Sessions of native kernels prove themselves at length when they begin.
  ...(existsSync(defaultAddonPath())
    ? [{ name: 'native', kernels: createNativeKernels(), numRuns: 20 * factor }]
    : []),
]

function expectLike(actual: ReadonlyMap<string, Tensor>, expected: ReadonlyMap<string, Tensor>): void {
  expect([...actual.keys()]).toEqual([...expected.keys()])
  for (const [name, { dtype, shape, data }] of expected) {
    const own = actual.get(name)
    expect({ dtype: own?.dtype, shape: own?.shape }).toEqual({ dtype, shape })
    // Which zero a maximum of two zeros is, backends may choose.
    const unsigned = (it: Tensor | undefined) => (it?.data as Float32Array | undefined)?.map((x) => x + 0)
    expect(unsigned(own)).toEqual(unsigned({ dtype, shape, data }))
  }
}

test.each(backends)('random programs give on $name what their steps say', async ({ kernels, numRuns }) => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const program = decodeProgram(encodeProgram(randomDynamicProgram(seed)))
      const random = new SeededRandom(seed ^ 0x5bd1e995)
      const queries = Array.from({ length: 5 }, () => randomQuery(random))
      const session = await createSession({ kernels, program, weights: new Uint8Array(0) })
      try {
        // Twice, so that what is kept for later queries is used, after others have been through the same memory.
        for (const query of [...queries, ...queries]) {
          expectLike(session.run(query), interpretProgram(program, query))
        }
      } finally {
        session.dispose()
      }
    }),
    { numRuns },
  )
})
