// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import { type FuzzGraph, type FuzzInput, type FuzzNode, withFixedSizes } from './fuzz-graph.ts'

/** The part of a graph that some of its nodes are. What left nodes would have made comes in as inputs. */
export function cutGraph(
  graph: FuzzGraph,
  kept: ReadonlySet<FuzzNode>,
  elements: ReadonlyMap<string, Tensor>,
): FuzzGraph {
  const nodes = graph.nodes.filter((it) => kept.has(it))
  const made = new Set(nodes.flatMap((it) => it.outputs))
  const read = new Set(nodes.flatMap((it) => it.inputs))
  const added: FuzzInput[] = []
  for (const name of read) {
    const tensor = elements.get(name)
    if (tensor !== undefined && !made.has(name)) added.push({ name, tensor, declared: tensor.shape })
  }
  const wasOutput = new Set(graph.outputs.map((it) => it.name))
  return {
    ...graph,
    inputs: [...graph.inputs.filter((it) => read.has(it.name)), ...added],
    constants: new Map([...graph.constants].filter(([name]) => read.has(name))),
    nodes,
    outputs: [...graph.values.values()].filter(
      ({ name }) => made.has(name) && (wasOutput.has(name) || !read.has(name)),
    ),
  }
}

/**
 * Leaves out nodes, outputs and symbols as long as the graph differs.
 * @param elements of every value that a node makes, as far as they are known
 */
export async function minimize(
  graph: FuzzGraph,
  elements: ReadonlyMap<string, Tensor>,
  differs: (graph: FuzzGraph) => Promise<boolean>,
): Promise<FuzzGraph> {
  let best = graph
  const attempt = async (candidate: FuzzGraph) => {
    if (candidate.nodes.length === 0 || candidate.outputs.length === 0) return
    if (await differs(candidate)) best = candidate
  }
  for (const node of [...graph.nodes].reverse()) {
    const needed = node.outputs.every((name) => name === '' || elements.has(name))
    const isRead = best.nodes.some((it) => it.inputs.some((name) => node.outputs.includes(name)))
    if (needed || !isRead) {
      await attempt(cutGraph(best, new Set(best.nodes.filter((it) => it !== node)), elements))
    }
  }
  for (const output of best.outputs) {
    if (best.outputs.length > 1)
      await attempt({ ...best, outputs: best.outputs.filter((it) => it !== output) })
  }
  await attempt(withFixedSizes(best))
  return best
}
