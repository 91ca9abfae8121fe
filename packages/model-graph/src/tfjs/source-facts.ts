// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import type { ConstantTensor } from '../graph/constant.ts'
import type { Graph } from '../graph/graph.ts'

/** Facts about a model as it was given: its nodes or layers by kind, and the elements of its float weights. */
export function sourceFacts(kinds: readonly string[], weights: Iterable<ConstantTensor>): Graph['source'] {
  const counts = new Map<string, number>()
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  let parameterCount = 0
  for (const { dtype, dims } of weights) if (dtype === 'float32') parameterCount += elementCount(dims)
  return { nodeCount: kinds.length, parameterCount, operators: Object.fromEntries(counts) }
}
