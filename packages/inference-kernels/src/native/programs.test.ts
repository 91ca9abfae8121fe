// SPDX-License-Identifier: Apache-2.0
// A whole program with every op on every backend of this machine, against the reference.
import { existsSync } from 'node:fs'
import type { KernelBackend } from '@mlcapsule/contracts'
import { expect, it } from 'vitest'
import { createSession } from '../engine/session.ts'
import { referenceKernels } from '../reference/index.ts'
import { SeededRandom } from '../testing/random.ts'
import { imageProgram } from '../testing/sample-programs.ts'
import { wasmKernels } from '../wasm/index.ts'
import { defaultAddonPath } from './addon.ts'
import { createNativeKernels, listNativeIsas } from './index.ts'

const built = existsSync(defaultAddonPath())
const native = built ? listNativeIsas() : []
const image = { dtype: 'float32', shape: [2, 3, 8, 8], data: new SeededRandom(3).floats(384) } as const

async function runOn(kernels: KernelBackend) {
  const { program, weights } = imageProgram()
  const session = await createSession({ kernels, program, weights, symbols: { N: 2 } })
  const outputs = session.run(new Map([['image', image]]))
  const values = [...outputs].map(([name, { data }]): [string, number[]] => [name, Array.from(data, Number)])
  session.dispose()
  return values
}

const backends: [string, KernelBackend][] = [
  ['wasm', wasmKernels],
  ...native.map((isa): [string, KernelBackend] => [`native ${isa}`, createNativeKernels({ isa })]),
]

it.each(backends)('%s answers as the reference does', async (_, kernels) => {
  const expected = await runOn(referenceKernels)
  const got = await runOn(kernels)
  expect(got.map(([name]) => name)).toEqual(expected.map(([name]) => name))
  for (const [i, [name, values]] of got.entries()) {
    const largest = Math.max(...values.map((value, j) => Math.abs(value - (expected[i]?.[1][j] as number))))
    expect(values.length, name).toBeGreaterThan(0)
    expect(largest, name).toBeLessThan(1e-5)
  }
})

if (!built) it.skip('native kernels (skipped: no native addon, no C compiler here)', () => {})
