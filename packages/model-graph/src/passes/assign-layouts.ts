// SPDX-License-Identifier: Apache-2.0

import { reshapedConstant } from '../graph/constant.ts'
import { sameDims } from '../graph/dims.ts'
import {
  type Branch,
  type Dim,
  type Graph,
  type GraphNode,
  isUnknown,
  type NodeOf,
  operandsOf,
  outputsOf,
  type Value,
} from '../graph/graph.ts'
import { removeDeadNodes } from './remove-dead-nodes.ts'
import { withOperands } from './rewrite.ts'

/** How the bytes of a value lie; `nhwc` has channels last, and exists for rank 4 only. */
export type ValueLayout = 'row-major' | 'nhwc'

export interface LaidOutGraph {
  readonly graph: Graph
  /** Values with channels last; all others are row-major. */
  readonly channelsLast: ReadonlySet<Value>
}

const nhwcOrder = [0, 2, 3, 1]

/** Dimensions in the order in which they lie in memory, as indices of logical ones, without those of size 1. */
function physicalOrder(dims: readonly Dim[], order: readonly number[]): readonly number[] {
  return order.filter((axis) => dims[axis] !== 1)
}

/** Gives convolution regions channels-last layout, and puts conversions at their borders. */
class LayoutAssignment {
  readonly channelsLast: Set<Value>
  readonly nodes: GraphNode[] = []
  readonly #converted = new Map<Value, Value>()
  readonly #producers = new Map<Value, GraphNode>()

  /** @param channelsLast of the graph around a branch: grows with it */
  constructor(channelsLast: Set<Value> = new Set()) {
    this.channelsLast = channelsLast
  }

  push(node: GraphNode): void {
    this.nodes.push(node)
    for (const value of outputsOf(node)) this.#producers.set(value, node)
  }

  isChannelsLast(value: Value | null | undefined): boolean {
    return value != null && this.channelsLast.has(value)
  }

  /** A value in the wanted layout: itself, or a conversion, made once. */
  as(layout: ValueLayout, value: Value): Value {
    const wanted = layout === 'nhwc'
    if (this.channelsLast.has(value) === wanted) return value
    const known = this.#converted.get(value)
    if (known !== undefined) return known
    const output: Value = { ...value }
    if (wanted) this.channelsLast.add(output)
    if (value.constant === null) this.push(this.#conversion(value, output))
    this.#converted.set(value, output)
    return output
  }

  #conversion(value: Value, output: Value): GraphNode {
    const producer = this.#producers.get(value)
    // A transpose can write the wanted layout itself, or turn out to be the layout change.
    const source = producer?.op === 'transpose' ? producer : undefined
    const input = source === undefined ? value : (source.inputs[0] as Value)
    const permutation = source?.attributes.permutation ?? value.dims.map((_, axis) => axis)
    return this.moved(input, permutation, output, 'layout')
  }

  /** A transpose, or a mere renaming of dimensions where no byte has to move. */
  moved(input: Value, permutation: readonly number[], output: Value, origin: string): GraphNode {
    const inputOrder = this.channelsLast.has(input) ? nhwcOrder : input.dims.map((_, axis) => axis)
    const outputOrder = this.channelsLast.has(output) ? nhwcOrder : output.dims.map((_, axis) => axis)
    const from = physicalOrder(input.dims, inputOrder)
    const to = physicalOrder(output.dims, outputOrder).map((axis) => permutation[axis] as number)
    // An alias needs dims that are known beforehand.
    if (sameDims(from, to) && !output.dims.some(isUnknown))
      return { op: 'reshape', attributes: {}, inputs: [input], output, origin }
    return { op: 'transpose', attributes: { permutation }, inputs: [input], output, origin }
  }

  /** An operand of an elementwise step in the layout of the result. */
  operand(value: Value, layout: ValueLayout): Value {
    if (layout === 'row-major') return this.as(layout, value)
    if (value.dims.length === 4) return this.as(layout, value)
    const dims = [...new Array<number>(4 - value.dims.length).fill(1), ...value.dims]
    const ranked: Value = {
      ...value,
      dims,
      constant: value.constant === null ? null : reshapedConstant(value.constant, dims as number[]),
    }
    if (value.constant === null) {
      this.push({ op: 'reshape', attributes: {}, inputs: [value], output: ranked, origin: 'rank' })
    }
    return this.as(layout, ranked)
  }

  node(node: GraphNode): void {
    const { output } = node
    const inputs = node.inputs as readonly Value[]
    if (node.op === 'conv2d' || node.op === 'pool2d') {
      const [x, weights, bias, residual] = node.inputs
      const image = this.as('nhwc', x as Value)
      const extra = residual == null ? [] : [this.as('nhwc', residual)]
      this.channelsLast.add(output)
      const rest = node.op === 'conv2d' ? [weights ?? null, bias ?? null, extra[0] ?? null] : []
      this.push({ ...node, inputs: [image, ...rest] })
    } else if (node.op === 'quantizedConv2d' || node.op === 'quantizedMaxPool2d') {
      this.channelsLast.add(output)
      const images = node.inputs.map((it) => (it === null ? null : this.as('nhwc', it)))
      this.push({ ...node, inputs: images })
    } else if (node.op === 'transpose') {
      this.push(this.moved(inputs[0] as Value, node.attributes.permutation, output, node.origin))
    } else if (node.op === 'if') {
      this.push(this.#branching(node))
    } else if (this.#keepsLayout(node)) {
      this.channelsLast.add(output)
      this.push({ ...node, inputs: inputs.map((it) => this.operand(it, 'nhwc')) })
    } else {
      this.push({ ...node, inputs: node.inputs.map((it) => (it === null ? null : this.as('row-major', it))) })
    }
  }

  /** Branches read outer values row-major, and give row-major ones. */
  #branching(node: NodeOf<'if'>): GraphNode {
    const given = withOperands(node, (value) => this.as('row-major', value)) as NodeOf<'if'>
    const lay = ({ nodes, outputs }: Branch): Branch => {
      const inner = new LayoutAssignment(this.channelsLast)
      for (const it of nodes) inner.node(it)
      return { outputs: outputs.map((it) => inner.as('row-major', it)), nodes: inner.nodes }
    }
    const [then, otherwise] = given.attributes.branches
    return { ...given, attributes: { branches: [lay(then), lay(otherwise)] } }
  }

  output(value: Value, name: string): Value {
    if (value.constant === null) return this.as('row-major', value)
    const copy: Value = { ...value, constant: null }
    const permutation = value.dims.map((_, axis) => axis)
    this.push({ op: 'transpose', attributes: { permutation }, inputs: [value], output: copy, origin: name })
    return copy
  }

  /** Steps that work in any layout stay channels-last where their largest operand is. */
  #keepsLayout(node: GraphNode): boolean {
    if (node.output.dims.length !== 4) return false
    const operands = operandsOf(node)
    // An operand of lower rank is given four dimensions by an alias, which needs dims that are known beforehand.
    if (operands.some((it) => it.dims.length < 4 && it.constant === null && it.dims.some(isUnknown)))
      return false
    switch (node.op) {
      case 'unary':
      case 'softmax':
      case 'pad':
      case 'slice':
      case 'expand':
      case 'quantize':
      case 'dequantize':
        return this.isChannelsLast(operands[0])
      case 'concat':
      case 'quantizedAdd':
        return operands.some((it) => this.isChannelsLast(it))
      case 'binary':
        return operands.some((it) => this.isChannelsLast(it) && sameDims(it.dims, node.output.dims))
      default:
        return false
    }
  }
}

/** Assigns layouts. Outputs come out row-major in the arena, also where they are a constant. */
export function assignLayouts(graph: Graph): LaidOutGraph {
  const run = new LayoutAssignment()
  for (const node of graph.nodes) run.node(node)
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: run.output(value, name) }))
  const laidOut = removeDeadNodes({ ...graph, nodes: run.nodes, outputs })
  return { graph: laidOut, channelsLast: run.channelsLast }
}
