// SPDX-License-Identifier: Apache-2.0
import type { Program } from '@mlcapsule/inference-kernels/program'
import type { Graph } from '../graph/graph.ts'
import { assignLayouts } from '../passes/assign-layouts.ts'
import { foldAffine } from '../passes/fold-affine.ts'
import { foldConstants } from '../passes/fold-constants.ts'
import { fuseActivations } from '../passes/fuse-activations.ts'
import { fuseResiduals } from '../passes/fuse-residuals.ts'
import { removeDeadNodes } from '../passes/remove-dead-nodes.ts'
import { simplifyMovement } from '../passes/simplify-movement.ts'
import { lower } from './lower.ts'
import type { CompiledWeights } from './weights.ts'

/** All passes in their order. What comes first makes the patterns that later ones look for. */
export async function optimized(given: Graph): Promise<Graph> {
  let graph = removeDeadNodes(given)
  graph = await foldConstants(graph)
  graph = simplifyMovement(graph)
  graph = await foldAffine(graph)
  graph = fuseActivations(graph)
  graph = fuseResiduals(graph)
  return removeDeadNodes(graph)
}

export async function lowered(
  given: Graph,
): Promise<{ readonly graph: Graph; readonly program: Program; readonly weights: CompiledWeights }> {
  const graph = await optimized(given)
  return { graph, ...lower(assignLayouts(graph)) }
}
