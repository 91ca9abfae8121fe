// SPDX-License-Identifier: Apache-2.0
import { sameDims } from '../graph/dims.ts'
import { countUses, type Graph, type GraphNode, type Value } from '../graph/graph.ts'
import { isLinear, type LinearNode } from './channel-vector.ts'
import { isDepthwise } from './depthwise.ts'
import { rewritten } from './rewrite.ts'

/** Moves the sum of a linear layer and another value, with the activation after it, into the layer's step. */
export function fuseResiduals(graph: Graph): Graph {
  const uses = countUses(graph)
  const nodes: (GraphNode | null)[] = []
  const indexOf = new Map<Value, number>()
  const linearAt = (value: Value): { node: LinearNode; index: number } | null => {
    const index = indexOf.get(value)
    const node = index === undefined ? undefined : (nodes[index] ?? undefined)
    if (index === undefined || !isLinear(node) || uses.get(value) !== 1) return null
    if (node.attributes.activation.kind !== 'none' || node.inputs[3] !== null) return null
    return node.op === 'conv2d' && isDepthwise(node) ? null : { node, index }
  }
  for (const node of graph.nodes) {
    let fused: GraphNode = node
    if (node.op === 'binary' && node.attributes.binary === 'add') {
      const [a, b] = node.inputs as [Value, Value]
      // The later one of two, since the other is there by then.
      const candidates = [linearAt(a), linearAt(b)]
        .filter((it) => it !== null)
        .sort((x, y) => y.index - x.index)
      const found = candidates[0]
      const other = found?.node.output === a ? b : a
      if (found !== undefined && a !== b && other.constant === null && sameDims(a.dims, b.dims)) {
        nodes[found.index] = null
        const { activation } = node.attributes
        fused = {
          ...found.node,
          attributes: { ...found.node.attributes, activation },
          inputs: [...found.node.inputs.slice(0, 3), other],
          output: node.output,
        } as GraphNode
      }
    }
    indexOf.set(fused.output, nodes.length)
    nodes.push(fused)
  }
  return rewritten(
    graph,
    nodes.filter((it) => it !== null),
  )
}
