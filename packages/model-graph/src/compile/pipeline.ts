// SPDX-License-Identifier: Apache-2.0
import type { Branch, Graph, GraphNode } from '../graph/graph.ts'
import { assignLayouts } from '../passes/assign-layouts.ts'
import { foldAffine } from '../passes/fold-affine.ts'
import { type FoldingBudget, foldConstants, foldingBudget } from '../passes/fold-constants.ts'
import { fuseActivations } from '../passes/fuse-activations.ts'
import { fuseGelu } from '../passes/fuse-gelu.ts'
import { fuseResiduals } from '../passes/fuse-residuals.ts'
import { fuseQuantized } from '../passes/quantized/fuse-quantized.ts'
import { fuseQuantizedSums } from '../passes/quantized/fuse-quantized-sums.ts'
import { removeDeadNodes } from '../passes/remove-dead-nodes.ts'
import { changed } from '../passes/rewrite.ts'
import { simplifyMovement } from '../passes/simplify-movement.ts'
import { sinkTransposes } from '../passes/sink-transposes.ts'
import { type LoweredGraph, lower } from './lower.ts'
import { planStorage, type WeightsStorage } from './store-weights.ts'

/** All passes in their order. What comes first makes the patterns that later ones look for. */
export async function optimized(given: Graph, budget = foldingBudget()): Promise<Graph> {
  let graph = removeDeadNodes(given)
  graph = await foldConstants(graph, budget)
  graph = simplifyMovement(sinkTransposes(graph))
  graph = await foldAffine(graph)
  graph = fuseActivations(await fuseGelu(graph))
  graph = fuseQuantizedSums(removeDeadNodes(await fuseQuantized(graph)))
  graph = fuseResiduals(graph)
  return removeDeadNodes(await withOptimizedBranches(graph, budget))
}

/** A branch is a graph of its own that may read values of the graph around it. */
async function optimizedBranch(graph: Graph, branch: Branch, budget: FoldingBudget): Promise<Branch> {
  const outputs = branch.outputs.map((value, i) => ({ name: `${i}`, value }))
  const own = await optimized({ ...graph, inputs: [], nodes: branch.nodes, outputs }, budget)
  return { nodes: own.nodes, outputs: own.outputs.map(({ value }) => value) }
}

async function withOptimizedBranches(graph: Graph, budget: FoldingBudget): Promise<Graph> {
  if (graph.nodes.every(({ op }) => op !== 'if')) return graph
  const nodes: GraphNode[] = []
  for (const node of graph.nodes) {
    if (node.op !== 'if') nodes.push(node)
    else {
      const [then, otherwise] = node.attributes.branches
      const branches = [
        await optimizedBranch(graph, then, budget),
        await optimizedBranch(graph, otherwise, budget),
      ] as const
      nodes.push(changed(node, { attributes: { branches } }))
    }
  }
  return { ...graph, nodes }
}

export async function lowered(given: Graph, storage: WeightsStorage = 'f32'): Promise<LoweredGraph> {
  const laidOut = assignLayouts(await optimized(given))
  return lower(laidOut, await planStorage(laidOut.graph.nodes, storage))
}
