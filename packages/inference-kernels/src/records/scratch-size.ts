// SPDX-License-Identifier: Apache-2.0
import { scratch } from '../abi.generated.ts'

/** What compiled kernels take beside their memory: of each thread, and what all threads share. */
export function scratchSizeBytes(threadCount: number): number {
  return 4 * (threadCount * scratch.workerFloatCount + scratch.sharedFloatCount)
}
