// SPDX-License-Identifier: Apache-2.0
import { sameDims } from '../graph/dims.ts'
import type { Graph, GraphNode, Value } from '../graph/graph.ts'
import { changed, producersOf, rewritten, withOperands } from './rewrite.ts'

/** The value that a node merely passes on, if it does nothing else. */
function passedOn(node: GraphNode): Value | null {
  const input = node.inputs[0] ?? null
  if (node.op === 'unary' && node.attributes.unary === 'identity') return input
  if (node.op === 'reshape' && input !== null && sameDims(input.dims, node.output.dims)) return input
  if (node.op === 'transpose' && node.attributes.permutation.every((axis, i) => axis === i)) return input
  if (node.op === 'pool2d') {
    const { kernel, strides, pads } = node.attributes
    const isSingle = [...kernel, ...strides].every((it) => it === 1) && pads.every((it) => it === 0)
    return isSingle ? input : null
  }
  return null
}

/** Joins a reshape of a reshape, and a transpose of a transpose, into one. */
function joined(node: GraphNode, producer: GraphNode | undefined): GraphNode {
  if (node.op === 'reshape' && producer?.op === 'reshape') return changed(node, { inputs: producer.inputs })
  if (node.op === 'transpose' && producer?.op === 'transpose') {
    const permutation = node.attributes.permutation.map(
      (axis) => producer.attributes.permutation[axis] as number,
    )
    return changed(node, { attributes: { permutation }, inputs: producer.inputs })
  }
  return node
}

/** Removes nodes that change nothing, and joins those that follow each other. */
export function simplifyMovement(graph: Graph): Graph {
  const replaced = new Map<Value, Value>()
  const producers = producersOf(graph.nodes)
  const nodes: GraphNode[] = []
  for (const given of graph.nodes) {
    const current = withOperands(given, (it) => replaced.get(it) ?? it)
    const first = current.inputs[0] ?? null
    const node = joined(current, first === null ? undefined : producers.get(first))
    producers.set(node.output, node)
    const same = passedOn(node)
    if (same === null) nodes.push(node)
    else replaced.set(node.output, same)
  }
  return rewritten(graph, nodes, replaced)
}
