// SPDX-License-Identifier: Apache-2.0
import { smallestBudget } from '@mlcapsule/inference-kernels'
import { decodeProgram } from '@mlcapsule/inference-kernels/program'

/**
 * The least memory, in bytes, in which an enclave with one thread answers a query of one item: weights that do not fit come
 * page by page with each query.
 * @param program encoded, of `compileGraph`
 * @param pageSizeBytes of the capsule that it is packed into
 */
export function leastMemoryBudget(program: Uint8Array, pageSizeBytes: number): number {
  return smallestBudget(decodeProgram(program), { pageSizeBytes })
}
