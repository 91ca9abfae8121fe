// SPDX-License-Identifier: Apache-2.0
import { type Graph, type GraphNode, operandsOf, outputsOf, type Value } from '../graph/graph.ts'

/** Drops nodes whose results nobody reads. */
export function removeDeadNodes(graph: Graph): Graph {
  const needed = new Set<Value>(graph.outputs.map((it) => it.value))
  const kept: GraphNode[] = []
  for (const node of graph.nodes.toReversed()) {
    if (!outputsOf(node).some((value) => needed.has(value))) continue
    kept.push(node)
    for (const value of operandsOf(node)) needed.add(value)
  }
  return kept.length === graph.nodes.length ? graph : { ...graph, nodes: kept.reverse() }
}
