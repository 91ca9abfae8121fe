// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import { countUses, type Graph, type GraphNode, type NodeOf, type Value } from '../graph/graph.ts'
import { canCarry, withActivation } from './fuse-activations.ts'
import { removeDeadNodes } from './remove-dead-nodes.ts'
import { producersOf, rewritten } from './rewrite.ts'

/** The number that a constant has everywhere; null for any other value. */
async function scalarOf(value: Value): Promise<number | null> {
  const { constant } = value
  if (constant === null || constant.dtype !== 'float32' || elementCount(constant.dims) !== 1) return null
  return Number((await constant.read(0, 1))[0])
}

const isNear = (value: number, expected: number) => Math.abs(value - expected) <= 1e-6

class GeluSearch {
  readonly #producers: ReadonlyMap<Value, GraphNode>
  readonly #uses: ReadonlyMap<Value, number>

  constructor(graph: Graph) {
    this.#producers = producersOf(graph.nodes)
    this.#uses = countUses(graph)
  }

  /** The plain sum, product or quotient that makes a value, where nobody else reads that. */
  #inner(value: Value, binary: 'add' | 'mul' | 'div'): readonly [Value, Value] | null {
    const node = this.#producers.get(value)
    const isIt =
      node?.op === 'binary' &&
      node.attributes.binary === binary &&
      node.attributes.activation.kind === 'none' &&
      this.#uses.get(value) === 1
    return isIt ? (node.inputs as [Value, Value]) : null
  }

  /** What a product multiplies, with the products in it taken apart; `#inner` ones alone. */
  #factors(operands: readonly Value[]): readonly Value[] {
    return operands.flatMap((value) => {
      const inner = this.#inner(value, 'mul')
      return inner === null ? [value] : this.#factors(inner)
    })
  }

  /** Splits operands into one that varies and a constant; null where there are not just these two. */
  async #withScalar(operands: readonly Value[] | null): Promise<{ value: Value; scalar: number } | null> {
    if (operands === null) return null
    const scalars = await Promise.all(operands.map(scalarOf))
    const at = scalars.findIndex((it) => it !== null)
    return at < 0 ? null : { value: operands[1 - at] as Value, scalar: scalars[at] as number }
  }

  /** x, where a value is 1 + erf(x / √2). */
  async #argument(value: Value): Promise<Value | null> {
    const sum = await this.#withScalar(this.#inner(value, 'add'))
    if (sum?.scalar !== 1 || this.#uses.get(sum.value) !== 1) return null
    const node = this.#producers.get(sum.value)
    if (node?.op !== 'unary' || node.attributes.unary !== 'erf') return null
    const scaled = node.inputs[0] as Value
    const product = await this.#withScalar(this.#inner(scaled, 'mul'))
    if (product !== null) return isNear(product.scalar, Math.SQRT1_2) ? product.value : null
    const operands = this.#inner(scaled, 'div')
    const divisor = operands === null ? null : await scalarOf(operands[1])
    return operands !== null && divisor !== null && isNear(divisor, Math.SQRT2) ? operands[0] : null
  }

  /** x, where a node is 0.5 x (1 + erf(x / √2)) in whatever order, and x has no other reader. */
  async find(node: GraphNode): Promise<Value | null> {
    if (node.op !== 'binary' || node.attributes.binary !== 'mul') return null
    if (node.attributes.activation.kind !== 'none') return null
    const factors = this.#factors(node.inputs as [Value, Value])
    if (factors.length !== 3) return null
    const scalars = await Promise.all(factors.map(scalarOf))
    const rest = factors.filter((_, i) => scalars[i] === null)
    if (rest.length !== 2 || scalars.find((it) => it !== null) !== 0.5) return null
    const [a, b] = rest as [Value, Value]
    for (const [x, gate] of [
      [a, b],
      [b, a],
    ] as const) {
      if ((await this.#argument(gate)) === x && this.#uses.get(x) === 2) return x
    }
    return null
  }

  carrierOf(value: Value): NodeOf<'conv2d'> | NodeOf<'dense'> | NodeOf<'binary'> | null {
    const node = this.#producers.get(value)
    return canCarry(node) ? node : null
  }
}

/**
 * Moves GELU, which exporters spell out as 0.5 x (1 + erf(x / √2)), into the step that computes x: one step for five that
 * each read and write the tensor.
 */
export async function fuseGelu(graph: Graph): Promise<Graph> {
  const search = new GeluSearch(graph)
  const fused = new Map<GraphNode, GraphNode | null>()
  for (const node of graph.nodes) {
    const x = await search.find(node)
    const carrier = x === null ? null : search.carrierOf(x)
    if (carrier === null) continue
    // Where the result was made: whatever it is added to stands before it.
    fused.set(carrier, null)
    fused.set(node, withActivation(carrier, { kind: 'gelu', alpha: 0, beta: 0 }, node.output))
  }
  if (fused.size === 0) return graph
  const nodes = graph.nodes.flatMap((node) => {
    const other = fused.get(node)
    return other === undefined ? [node] : other === null ? [] : [other]
  })
  return removeDeadNodes(rewritten(graph, nodes))
}
