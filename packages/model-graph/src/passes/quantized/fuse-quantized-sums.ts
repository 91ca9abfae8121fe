// SPDX-License-Identifier: Apache-2.0
import { countUses, type Graph, type GraphNode, type NodeOf, type Value } from '../../graph/graph.ts'
import { rewritten } from '../rewrite.ts'

/** Moves the sum of a convolution's bytes and other bytes into the convolution's step: the same bytes, written once. */
export function fuseQuantizedSums(graph: Graph): Graph {
  const uses = countUses(graph)
  const nodes: (GraphNode | null)[] = []
  const indexOf = new Map<Value, number>()
  const convolutionAt = (value: Value): { node: NodeOf<'quantizedConv2d'>; index: number } | null => {
    const index = indexOf.get(value)
    const node = index === undefined ? undefined : nodes[index]
    if (index === undefined || node?.op !== 'quantizedConv2d' || node.attributes.sum !== null) return null
    return uses.get(value) === 1 ? { node, index } : null
  }
  for (const node of graph.nodes) {
    let fused: GraphNode = node
    if (node.op === 'quantizedAdd') {
      const [a, b] = node.inputs as [Value, Value]
      // The later one of two, since the other is there by then.
      const found = [convolutionAt(a), convolutionAt(b)]
        .filter((it) => it !== null)
        .sort((x, y) => y.index - x.index)[0]
      if (found !== undefined && a !== b) {
        const isFirst = found.node.output === a
        const residual = isFirst ? node.attributes.b : node.attributes.a
        // What the bytes of the convolution mean to the sum, as a DequantizeLinear says.
        const own = isFirst ? node.attributes.a : node.attributes.b
        const { quantization } = found.node.attributes
        if (own.zero === quantization.zero && own.scale === quantization.scale) {
          nodes[found.index] = null
          fused = {
            ...found.node,
            attributes: {
              ...found.node.attributes,
              sum: { residual, quantization: node.attributes.quantization },
            },
            inputs: [found.node.inputs[0] as Value, isFirst ? b : a],
            output: node.output,
          }
        }
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
