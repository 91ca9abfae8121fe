// SPDX-License-Identifier: Apache-2.0
import type { Graph, GraphNode, NodeOf, Op, Value } from '../graph/graph.ts'

/** Follows replacements to the value that stands in the end. */
function resolve(value: Value, replaced: ReadonlyMap<Value, Value>): Value {
  let current = value
  for (let next = replaced.get(current); next !== undefined; next = replaced.get(current)) current = next
  return current
}

/** The graph with other nodes, and some values replaced by others wherever they are read. */
export function rewritten(
  graph: Graph,
  nodes: readonly GraphNode[],
  replaced: ReadonlyMap<Value, Value> = new Map(),
): Graph {
  if (replaced.size === 0) return { ...graph, nodes }
  const at = (value: Value | null) => (value === null ? null : resolve(value, replaced))
  return {
    ...graph,
    nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map(at) })),
    outputs: graph.outputs.map(({ name, value }) => ({ name, value: resolve(value, replaced) })),
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
  return new Map(nodes.map((node) => [node.output, node]))
}
