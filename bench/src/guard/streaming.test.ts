// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { nativeKernelsAddonPath } from '@mlcapsule/enclave-bridge/node'
import { expect, test } from 'vitest'
import { enclaveDir } from './guarded.ts'
import { measurePairs } from './pairs.ts'
import { withProviderOf } from './with-provider.ts'

const mebibyte = 1_048_576
const isHere = nativeKernelsAddonPath() !== undefined && existsSync(enclaveDir)
const missing = isHere ? '' : ' (skipped: the native kernels or the enclave are not built here)'

test.skipIf(!isHere).each([
  ['mobilenetv1', 16],
  ['vgg16', 64],
])(
  `%s answers in an enclave of %d MiB as without a guard, bit for bit${missing}`,
  { timeout: 240_000 },
  async (network, budgetMib) => {
    const memoryBudgetSizeBytes = budgetMib * mebibyte
    // The process that measures compares each of three answers, byte by byte, and fails otherwise.
    const { memorySizeBytes, pairCount } = await withProviderOf([network], (provider, folder) =>
      measurePairs({ provider, folder }, { network, entry: 'process', count: 2, memoryBudgetSizeBytes }),
    )
    expect(pairCount).toBe(2)
    expect(memorySizeBytes).toBeLessThanOrEqual(memoryBudgetSizeBytes)
    expect(memorySizeBytes).toBeGreaterThan(0.5 * memoryBudgetSizeBytes)
  },
)
