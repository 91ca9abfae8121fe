// SPDX-License-Identifier: Apache-2.0

import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '@mlcapsule/contracts'
import { randomFloats } from '@mlcapsule/model-graph/testing'
import type { Entry, GuardedOptions } from './guarded.ts'
import { networkNamed } from './networks.ts'
import type { PackedBy } from './provider.ts'

/** What each process that measures is told about the model. */
const { values } = parseArgs({
  options: {
    provider: { type: 'string', default: '{}' },
    folder: { type: 'string', default: '' },
    network: { type: 'string', default: '' },
    entry: { type: 'string', default: 'process' },
    count: { type: 'string', default: '100' },
    threads: { type: 'string', default: '1' },
    sdk: { type: 'boolean', default: false },
    'warm-up': { type: 'string', default: '2000' },
    budget: { type: 'string' },
  },
})

export const provider = JSON.parse(values.provider) as PackedBy
export const network = networkNamed(values.network)
/** How often whatever is measured is to be done. */
export const count = Number(values.count)
export const throughSdk = values.sdk
/** How long queries are asked beforehand that do not count, at most. */
export const warmUpMs = Number(values['warm-up'])

/** Options for an enclave whose state nobody has used. */
export async function freshOptions(): Promise<GuardedOptions> {
  return {
    network: values.network,
    dims: network.inputDims,
    entry: values.entry as Entry,
    stateDir: await mkdtemp(join(values.folder, 'state-')),
    threadCount: Number(values.threads),
    ...(values.budget === undefined ? {} : { memoryBudgetSizeBytes: Number(values.budget) }),
  }
}

const elementCount = network.inputDims.reduce((product, dim) => product * dim, 1)

/** Three different queries. */
export const inputs: readonly Float32Array[] = [3, 5, 7].map((seed) =>
  randomFloats(seededRandom(seed), elementCount, Math.sqrt(3)),
)

/** The query of a turn. */
export const inputOf = (turn: number): Float32Array => inputs[Math.abs(turn) % inputs.length] as Float32Array

/** Ends the process with its result; threads of the kernels may not end by themselves. */
export function finish(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
}
