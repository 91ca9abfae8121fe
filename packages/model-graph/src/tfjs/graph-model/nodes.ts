// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../../errors.ts'
import { modelLimits } from '../../limits.ts'
import { dependencyOrder } from '../dependency-order.ts'
import { type Fields, malformed } from '../fields.ts'
import { NodeAttributes } from './attributes.ts'

/** One output of a node. */
export interface Edge {
  readonly node: string
  readonly index: number
}

export interface TfNode {
  readonly name: string
  readonly op: string
  readonly inputs: readonly Edge[]
  readonly attributes: NodeAttributes
}

/** `name` or `name:1`. */
export function parseEdge(text: string): Edge {
  const [, node = '', index] = /^(.*?)(?::(\d{1,6}))?$/s.exec(text) ?? []
  return { node, index: Number(index ?? 0) }
}

function parseNode(fields: Fields): TfNode {
  const inputs: Edge[] = []
  for (const input of fields.list('input', [])) {
    if (typeof input !== 'string') malformed(`an input of ${fields.where} is not text`)
    // A control edge only says what runs first.
    if (!input.startsWith('^')) inputs.push(parseEdge(input))
  }
  return {
    name: fields.string('name'),
    op: fields.string('op'),
    inputs,
    attributes: new NodeAttributes(fields),
  }
}

/** @throws ModelError `MODEL_TFJS_MALFORMED`, `MODEL_NAME_DUPLICATE`, `MODEL_TOO_LARGE` */
export function parseNodes(topology: Fields): ReadonlyMap<string, TfNode> {
  const given = topology.objects('node')
  if (given.length > modelLimits.nodeCount) {
    throw new ModelError(
      'MODEL_TOO_LARGE',
      `the graph has ${given.length} nodes, more than ${modelLimits.nodeCount}`,
    )
  }
  const nodes = new Map<string, TfNode>()
  for (const fields of given) {
    const node = parseNode(fields)
    if (nodes.has(node.name)) {
      throw new ModelError('MODEL_NAME_DUPLICATE', `two nodes have the name ${quote(node.name)}`)
    }
    nodes.set(node.name, node)
  }
  return nodes
}

export function describeNode({ op, name }: TfNode): string {
  return `${op} node ${quote(name)}`
}

/**
 * The nodes that outputs depend on, each after those that it reads.
 * @throws ModelError `MODEL_VALUE_UNDEFINED`, `MODEL_GRAPH_CYCLIC`
 */
export function neededNodes(
  nodes: ReadonlyMap<string, TfNode>,
  outputs: readonly string[],
): readonly TfNode[] {
  return dependencyOrder(outputs, {
    find(name, reader) {
      const node = nodes.get(name)
      if (node !== undefined) return node
      throw new ModelError('MODEL_VALUE_UNDEFINED', `${reader} reads ${quote(name)}, which nothing defines`)
    },
    read: ({ inputs }) => inputs.map(({ node }) => node),
    describe: describeNode,
  })
}
