// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import { reshapedConstant, transposedConstant } from '../graph/constant.ts'
import { sameDims } from '../graph/dims.ts'
import {
  type Dim,
  type Graph,
  type GraphNode,
  isUnknown,
  type NodeOf,
  operandsOf,
  type Value,
} from '../graph/graph.ts'
import { removeDeadNodes } from './remove-dead-nodes.ts'
import { changed, producersOf, rewritten } from './rewrite.ts'

type Elementwise = NodeOf<'unary'> | NodeOf<'binary'>

const isElementwise = (node: GraphNode): node is Elementwise => node.op === 'unary' || node.op === 'binary'

/** The permutation that undoes another. */
function inverse(permutation: readonly number[]): readonly number[] {
  const result = new Array<number>(permutation.length)
  for (const [to, from] of permutation.entries()) result[from] = to
  return result
}

const ranked = (dims: readonly Dim[], rank: number): readonly Dim[] => [
  ...new Array<number>(rank - dims.length).fill(1),
  ...dims,
]

/**
 * Lets elementwise nodes run before transposes of their operands instead of after them. A model with channels last has a
 * transpose on both sides of each convolution: with this, activations and sums come right after the convolution again, and
 * transposes meet and cancel.
 */
class TransposeSinking {
  readonly nodes: GraphNode[] = []
  readonly #producers: Map<Value, GraphNode>
  /** Values that something reads which needs the transpose, so that it would have to stay. */
  readonly #needed: ReadonlySet<Value>

  constructor(graph: Graph) {
    this.#producers = producersOf(graph.nodes)
    const others = graph.nodes.filter((node) => !isElementwise(node) && node.op !== 'transpose')
    this.#needed = new Set([...others.flatMap(operandsOf), ...graph.outputs.map(({ value }) => value)])
  }

  push(node: GraphNode): void {
    this.nodes.push(node)
    this.#producers.set(node.output, node)
  }

  #transposeOf(value: Value): NodeOf<'transpose'> | null {
    const producer = this.#producers.get(value)
    return producer?.op === 'transpose' ? producer : null
  }

  /** The permutation that comes right before a node on every operand of full size. */
  #permutationBefore(node: Elementwise): readonly number[] | null {
    const { dims } = node.output
    let found: readonly number[] | null = null
    for (const operand of node.inputs as readonly Value[]) {
      if (operand.constant !== null) continue
      const transpose = this.#transposeOf(operand)
      const permutation = transpose?.attributes.permutation
      if (permutation === undefined || !sameDims(operand.dims, dims)) {
        // A smaller operand can be transposed by itself, unless its size is not known.
        if (sameDims(operand.dims, dims) || operand.dims.some(isUnknown)) return null
        continue
      }
      if (this.#needed.has(operand) || (found !== null && !sameDims(found, permutation))) return null
      found = permutation
    }
    return found
  }

  /** An operand as it was before the transpose. */
  #before(operand: Value, permutation: readonly number[], node: Elementwise): Value {
    const transpose = this.#transposeOf(operand)
    if (transpose !== null && sameDims(transpose.attributes.permutation, permutation)) {
      return transpose.inputs[0] as Value
    }
    const undo = inverse(permutation)
    const full = ranked(operand.dims, permutation.length)
    const dims = undo.map((axis) => full[axis] as Dim)
    if (operand.constant !== null) {
      if (elementCount(operand.constant.dims) === 1) return operand
      const constant = transposedConstant(reshapedConstant(operand.constant, full as number[]), undo)
      return { ...operand, dims, constant }
    }
    let value = operand
    if (!sameDims(full, operand.dims)) {
      value = { ...operand, dims: full }
      this.push({ op: 'reshape', attributes: {}, inputs: [operand], output: value, origin: node.origin })
    }
    const output: Value = { ...operand, dims }
    this.push({
      op: 'transpose',
      attributes: { permutation: undo },
      inputs: [value],
      output,
      origin: node.origin,
    })
    return output
  }

  node(node: GraphNode): void {
    const permutation = isElementwise(node) ? this.#permutationBefore(node) : null
    if (permutation === null || !isElementwise(node)) {
      this.push(node)
      return
    }
    const inputs = node.inputs.map((it) => this.#before(it as Value, permutation, node))
    const dims = inverse(permutation).map((axis) => node.output.dims[axis] as Dim)
    const output: Value = { ...node.output, dims }
    this.push(node.op === 'unary' ? changed(node, { inputs, output }) : changed(node, { inputs, output }))
    this.push({
      op: 'transpose',
      attributes: { permutation },
      inputs: [output],
      output: node.output,
      origin: node.origin,
    })
  }
}

/** @see TransposeSinking */
export function sinkTransposes(graph: Graph): Graph {
  const run = new TransposeSinking(graph)
  for (const node of graph.nodes) run.node(node)
  // The transposes that no node reads any more would count as readers of what they read.
  return removeDeadNodes(rewritten(graph, run.nodes))
}
