// SPDX-License-Identifier: Apache-2.0
import type { Activation } from '@mlcapsule/inference-kernels/program'
import { countUses, type Graph, type GraphNode, type NodeOf, type Value } from '../graph/graph.ts'
import { removeDeadNodes } from './remove-dead-nodes.ts'
import { producersOf, rewritten } from './rewrite.ts'

/** The activation that a node is, if a step can apply it as it writes. */
function activationOf(node: GraphNode): Activation | null {
  if (node.op !== 'unary') return null
  const { unary, alpha, beta } = node.attributes
  if (unary === 'relu') return { kind: 'clamp', alpha: 0, beta: Number.POSITIVE_INFINITY }
  if (unary === 'clamp' || unary === 'leakyrelu') return { kind: unary, alpha, beta }
  return unary === 'sigmoid' || unary === 'tanh' || unary === 'hardswish'
    ? { kind: unary, alpha: 0, beta: 0 }
    : null
}

type Carrier = NodeOf<'conv2d'> | NodeOf<'dense'> | NodeOf<'binary'>

/** Whether a step can apply an activation as it writes, and applies none yet. */
export function canCarry(node: GraphNode | undefined): node is Carrier {
  const isCarrier = node?.op === 'conv2d' || node?.op === 'dense' || node?.op === 'binary'
  return isCarrier && node.attributes.activation.kind === 'none'
}

export const withActivation = (node: Carrier, activation: Activation, output: Value): GraphNode =>
  ({ ...node, attributes: { ...node.attributes, activation }, output }) as GraphNode

/** x of `x * f(x)`, where f is the function of an element that the other operand is computed by. */
function gateOf(
  node: GraphNode,
  producers: ReadonlyMap<Value, GraphNode>,
): { x: Value; gate: NodeOf<'unary'> } | null {
  if (node.op !== 'binary' || node.attributes.binary !== 'mul' || node.attributes.activation.kind !== 'none')
    return null
  const [a, b] = node.inputs as [Value, Value]
  for (const [x, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const gate = producers.get(other)
    if (gate?.op === 'unary' && gate.inputs[0] === x) return { x, gate }
  }
  return null
}

const isHardSwishGate = ({ attributes: { unary, alpha, beta } }: NodeOf<'unary'>): boolean =>
  unary === 'hardsigmoid' && Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5

/** Writes x * hardsigmoid(x) as the one function that it is. */
function combineHardSwish(graph: Graph): Graph {
  const producers = producersOf(graph.nodes)
  const nodes = graph.nodes.map((node): GraphNode => {
    const found = gateOf(node, producers)
    if (found === null || !isHardSwishGate(found.gate)) return node
    return {
      op: 'unary',
      attributes: { unary: 'hardswish', alpha: 0, beta: 0 },
      inputs: [found.x],
      output: node.output,
      origin: node.origin,
    }
  })
  // The gates are gone with it, so that x may have one reader left.
  return removeDeadNodes(rewritten(graph, nodes))
}

/** Moves activations into the step before, also x * sigmoid(x), so that each result is written once. */
export function fuseActivations(given: Graph): Graph {
  const graph = combineHardSwish(given)
  const uses = countUses(graph)
  const nodes: (GraphNode | null)[] = []
  const indexOf = new Map<Value, number>()
  const producers = producersOf(graph.nodes)
  const carrierOf = (
    value: Value | null | undefined,
    useCount: number,
  ): { node: Carrier; index: number } | null => {
    const index = value == null ? undefined : indexOf.get(value)
    const node = index === undefined ? undefined : (nodes[index] ?? undefined)
    if (index === undefined || !canCarry(node) || uses.get(node.output) !== useCount) return null
    return { node, index }
  }
  for (const node of graph.nodes) {
    const activation = activationOf(node)
    let carrier = activation === null ? null : carrierOf(node.inputs[0], 1)
    let fused = activation
    if (carrier === null) {
      const found = gateOf(node, producers)
      if (found?.gate.attributes.unary === 'sigmoid' && uses.get(found.gate.output) === 1) {
        carrier = carrierOf(found.x, 2)
        fused = { kind: 'silu', alpha: 0, beta: 0 }
        const gateIndex = indexOf.get(found.gate.output)
        if (carrier !== null && gateIndex !== undefined) nodes[gateIndex] = null
      }
    }
    if (carrier !== null && fused !== null) {
      nodes[carrier.index] = withActivation(carrier.node, fused, node.output)
      indexOf.set(node.output, carrier.index)
    } else {
      indexOf.set(node.output, nodes.length)
      nodes.push(node)
    }
  }
  return rewritten(
    graph,
    nodes.filter((it) => it !== null),
  )
}
