// SPDX-License-Identifier: Apache-2.0
import {
  type Branch,
  type Graph,
  type GraphNode,
  type NodeOf,
  type Op,
  outputsOf,
  type Value,
} from '../graph/graph.ts'

/** Follows replacements to the value that stands in the end. */
function resolve(value: Value, replaced: ReadonlyMap<Value, Value>): Value {
  let current = value
  for (let next = replaced.get(current); next !== undefined; next = replaced.get(current)) current = next
  return current
}

/** A node that reads other values, also within its branches. */
export function withOperands(node: GraphNode, at: (value: Value) => Value): GraphNode {
  const inputs = node.inputs.map((value) => (value === null ? null : at(value)))
  if (node.op !== 'if') return { ...node, inputs } as GraphNode
  const inBranch = ({ nodes, outputs }: Branch): Branch => ({
    nodes: nodes.map((it) => withOperands(it, at)),
    outputs: outputs.map(at),
  })
  const [then, otherwise] = node.attributes.branches
  return { ...node, inputs, attributes: { branches: [inBranch(then), inBranch(otherwise)] } }
}

/** The graph with other nodes, and some values replaced by others wherever they are read. */
export function rewritten(
  graph: Graph,
  nodes: readonly GraphNode[],
  replaced: ReadonlyMap<Value, Value> = new Map(),
): Graph {
  if (replaced.size === 0) return { ...graph, nodes }
  const at = (value: Value) => resolve(value, replaced)
  return {
    ...graph,
    nodes: nodes.map((node) => withOperands(node, at)),
    outputs: graph.outputs.map(({ name, value }) => ({ name, value: at(value) })),
  }
}

/** A node with some parts changed; its kind stays. */
export function changed<K extends Op>(
  node: NodeOf<K>,
  parts: {
    readonly attributes?: NodeOf<K>['attributes']
    readonly inputs?: readonly (Value | null)[]
    readonly output?: Value
  },
): NodeOf<K> {
  return { ...node, ...parts }
}

/** The node that makes each value. */
export function producersOf(nodes: readonly GraphNode[]): Map<Value, GraphNode> {
  return new Map(nodes.flatMap((node) => outputsOf(node).map((value) => [value, node] as const)))
}
