// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../errors.ts'
import type { GraphProto, NodeProto } from './generated/onnx_pb.ts'

export function describeNode(node: NodeProto): string {
  return `${node.opType} node ${quote(node.name || (node.output.find((it) => it !== '') ?? ''))}`
}

/** Names that a node reads, also those that its branches take from the graph around them. */
export function namesRead(node: NodeProto): readonly string[] {
  const own = node.input.filter((name) => name !== '')
  return [...own, ...node.attribute.flatMap(({ g }) => (g === undefined ? [] : namesTaken(g)))]
}

/** Names that a branch reads and does not define. */
function namesTaken(graph: GraphProto): readonly string[] {
  const own = new Set([
    ...graph.initializer.map(({ name }) => name),
    ...graph.input.map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
  ])
  const read = [...graph.node.flatMap(namesRead), ...graph.output.map(({ name }) => name)]
  return read.filter((name) => !own.has(name))
}

/**
 * Nodes in an order in which each comes after those that it reads from. Files should already have them so; one that does
 * not is put in order.
 * @param available names of inputs and initializers
 * @throws ModelError `MODEL_NAME_DUPLICATE`, `MODEL_VALUE_UNDEFINED`, `MODEL_GRAPH_CYCLIC`
 */
export function sortNodes(
  graph: GraphProto,
  available: { has(name: string): boolean },
): readonly NodeProto[] {
  const producer = new Map<string, number>()
  for (const [index, node] of graph.node.entries()) {
    for (const name of node.output) {
      if (name === '') continue
      if (available.has(name) || producer.has(name)) {
        throw new ModelError(
          'MODEL_NAME_DUPLICATE',
          `${describeNode(node)} defines ${quote(name)}, which exists already`,
        )
      }
      producer.set(name, index)
    }
  }
  const waiting = graph.node.map(() => 0)
  const readers: number[][] = graph.node.map(() => [])
  for (const [index, node] of graph.node.entries()) {
    for (const name of new Set(namesRead(node))) {
      if (available.has(name)) continue
      const from = producer.get(name)
      if (from === undefined) {
        throw new ModelError(
          'MODEL_VALUE_UNDEFINED',
          `${describeNode(node)} reads ${quote(name)}, which nothing defines`,
        )
      }
      waiting[index] = (waiting[index] as number) + 1
      readers[from]?.push(index)
    }
  }
  const ready = [...waiting.keys()].filter((index) => waiting[index] === 0)
  const sorted: NodeProto[] = []
  for (let i = 0; i < ready.length; i++) {
    const index = ready[i] as number
    sorted.push(graph.node[index] as NodeProto)
    for (const reader of readers[index] as number[]) {
      waiting[reader] = (waiting[reader] as number) - 1
      if (waiting[reader] === 0) ready.push(reader)
    }
  }
  if (sorted.length === graph.node.length) return sorted
  const stuck = graph.node.filter((_, index) => waiting[index] !== 0).map(describeNode)
  throw new ModelError('MODEL_GRAPH_CYCLIC', `nodes wait for one another: ${stuck.slice(0, 5).join(', ')}`)
}
