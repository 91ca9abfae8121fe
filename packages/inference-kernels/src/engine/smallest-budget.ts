// SPDX-License-Identifier: Apache-2.0
import { usualDims } from '../program/bind-dims.ts'
import { isOfFixedSizes } from '../program/fixed-sizes.ts'
import type { Program } from '../program/types.ts'
import { scratchSizeBytes } from '../records/scratch-size.ts'
import { pagerSizeBytes, smallestBudgetSizeBytes } from './memory-plan.ts'

export interface SmallestBudgetOptions {
  /** Of the capsule's weights. */
  readonly pageSizeBytes: number
  /** Sizes of all symbolic dimensions of inputs, as for `createSession`; one of each when absent. */
  readonly symbols?: Readonly<Record<string, number>>
  readonly threadCount?: number
}

/**
 * The least memory budget, in bytes, in which compiled kernels answer queries of these sizes.
 * @param program that `validateProgram` has accepted
 * @throws KernelError as `planProgram`
 */
export function smallestBudget(program: Program, options: SmallestBudgetOptions): number {
  const { pageSizeBytes, symbols = {}, threadCount = 1 } = options
  const pageCount = Math.ceil(program.weightsSizeBytes / pageSizeBytes)
  return smallestBudgetSizeBytes({
    program,
    dims: usualDims(program, symbols),
    isStatic: isOfFixedSizes(program),
    pageSizeBytes,
    besideSizeBytes: scratchSizeBytes(threadCount) + pagerSizeBytes(pageCount),
    weightsContents: () => null,
  })
}
