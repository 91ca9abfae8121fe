// SPDX-License-Identifier: Apache-2.0
import { ModelError, type ModelIssue, quote } from '../../errors.ts'
import type { ConstantTensor } from '../../graph/constant.ts'
import type { Graph, Value } from '../../graph/graph.ts'
import { refuseIssues } from '../../onnx/issues.ts'
import { GraphBuilder } from '../../ops/graph-builder.ts'
import { UnsupportedNode } from '../../ops/unsupported.ts'
import type { Fields } from '../fields.ts'
import { inputValue } from '../inputs.ts'
import { sourceFacts } from '../source-facts.ts'
import { describeNode, neededNodes, parseNodes, type TfNode } from './nodes.ts'
import { TfOp } from './op.ts'
import { refusalOf, tfOperators } from './registry.ts'
import { readSignature } from './signature.ts'

/** What a node gives; null where it could not be imported, which has been reported. */
type Results = readonly Value[] | null

class GraphModelImport {
  readonly builder = new GraphBuilder()
  readonly issues: ModelIssue[] = []
  readonly #results = new Map<string, Results>()
  readonly #weights: ReadonlyMap<string, ConstantTensor>

  constructor(weights: ReadonlyMap<string, ConstantTensor>) {
    this.#weights = weights
  }

  define(name: string, value: Value): void {
    this.#results.set(name, [value])
  }

  /** Null where the node of it could not be imported. @throws ModelError `MODEL_VALUE_UNDEFINED` */
  value({ node, index }: { readonly node: string; readonly index: number }, reader: string): Value | null {
    const results = this.#results.get(node)
    if (results === null) return null
    const value = results?.[index]
    if (value !== undefined) return value
    if (results === undefined) {
      throw new ModelError('MODEL_VALUE_UNDEFINED', `${reader} reads ${quote(node)}, which nothing defines`)
    }
    throw new ModelError(
      'MODEL_VALUE_UNDEFINED',
      `${reader} reads output ${index} of ${quote(node)}, which does not exist or is not supported`,
    )
  }

  async node(node: TfNode): Promise<void> {
    if (this.#results.has(node.name)) return
    try {
      this.#results.set(node.name, await this.#imported(node))
    } catch (error) {
      if (!(error instanceof UnsupportedNode)) throw error
      this.#results.set(node.name, null)
      this.issues.push({
        code: error.code,
        node: node.name,
        operator: node.op,
        domain: 'tensorflow',
        opset: 0,
        reason: error.message,
      })
    }
  }

  async #imported(node: TfNode): Promise<Results> {
    if (node.op === 'Const') return [this.#constant(node)]
    const importer = tfOperators.get(node.op)
    if (importer === undefined) throw new UnsupportedNode(refusalOf(node.op))
    const inputs: Value[] = []
    for (const edge of node.inputs) {
      const value = this.value(edge, describeNode(node))
      if (value === null) return null
      await this.builder.learn(value)
      inputs.push(value)
    }
    const result = importer(new TfOp(this.builder, node, inputs))
    return Array.isArray(result) ? (result as readonly Value[]) : [result as Value]
  }

  #constant(node: TfNode): Value {
    const constant = this.#weights.get(node.name)
    if (constant === undefined) {
      throw new ModelError('MODEL_VALUE_UNDEFINED', `there are no weights for ${describeNode(node)}`)
    }
    return { name: node.name, dtype: constant.dtype, dims: constant.dims, constant }
  }
}

/** Placeholders in the order of the signature, then those that it does not name. */
function importInputs(
  run: GraphModelImport,
  placeholders: readonly TfNode[],
  declared: ReadonlyMap<string, readonly number[] | null>,
  symbols: Readonly<Record<string, number>>,
): readonly Value[] {
  const order = new Map([...declared.keys()].map((name, i) => [name, i]))
  const rank = ({ name }: TfNode) => order.get(name) ?? order.size
  const sorted = placeholders.toSorted((a, b) => rank(a) - rank(b))
  return sorted.map(({ name, attributes }) => {
    const dims = declared.get(name) ?? attributes.shape('shape')
    if (dims === null) throw new ModelError('MODEL_SHAPE_UNKNOWN', `input ${quote(name)} has no rank`)
    const value = inputValue(run.builder, name, attributes.dtype('dtype', 'float32'), dims, symbols)
    run.define(name, value)
    return value
  })
}

/** @throws ModelError any `MODEL_*` code */
export async function importGraphModel(
  model: Fields,
  weights: ReadonlyMap<string, ConstantTensor>,
  symbols: Readonly<Record<string, number>>,
): Promise<Graph> {
  const all = parseNodes(model.object('modelTopology'))
  const signature = readSignature(model, all)
  if (signature.outputs.length === 0) throw new ModelError('MODEL_GRAPH_INVALID', 'the graph has no outputs')
  const nodes = neededNodes(
    all,
    signature.outputs.map((it) => it.node),
  )
  const declared = new Map(signature.inputs.map((it) => [it.node, it.dims] as const))
  const run = new GraphModelImport(weights)
  // An input with a default is one where the signature says so; elsewhere it is its default.
  const placeholders = nodes.filter(
    ({ name, op }) => op === 'Placeholder' || (op === 'PlaceholderWithDefault' && declared.has(name)),
  )
  const inputs = importInputs(run, placeholders, declared, symbols)
  for (const node of nodes) await run.node(node)
  refuseIssues(run.issues, ['Const', 'Placeholder', ...tfOperators.keys()])
  const outputs = signature.outputs.map((edge) => {
    const value = run.value(edge, 'an output')
    if (value === null) throw new TypeError('an unsupported node was not reported')
    return { name: edge.index === 0 ? edge.node : `${edge.node}:${edge.index}`, value }
  })
  if (new Set(outputs.map((it) => it.name)).size !== outputs.length) {
    throw new ModelError('MODEL_NAME_DUPLICATE', 'two outputs are the same value')
  }
  const operators = nodes.map(({ op }) => op).filter((op) => op !== 'Const' && op !== 'Placeholder')
  return {
    name: '',
    inputs,
    outputs,
    nodes: run.builder.nodes,
    source: sourceFacts(operators, weights.values()),
  }
}
