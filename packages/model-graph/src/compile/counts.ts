// SPDX-License-Identifier: Apache-2.0
import type { Dim, GraphNode, Value } from '../graph/graph.ts'

const product = (dims: readonly Dim[]) =>
  dims.reduce<number>((count, dim) => count * (typeof dim === 'number' ? dim : 1), 1)

/** Multiply-accumulate operations of one node; symbolic dimensions count as 1. */
export function macsOf(node: GraphNode): number {
  const output = product(node.output.dims)
  if (node.op === 'conv2d') return output * product((node.inputs[1] as Value).dims.slice(1))
  if (node.op === 'dense') return output * product((node.inputs[1] as Value).dims.slice(0, 1))
  if (node.op === 'quantizedConv2d' || node.op === 'quantizedDense')
    return output * product(node.attributes.weights.rows.dims.slice(1))
  return node.op === 'matmul' ? output * product((node.inputs[0] as Value).dims.slice(-1)) : 0
}
