// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import { ModelError, type ModelIssue, quote } from '../errors.ts'
import type { ConstantTensor } from '../graph/constant.ts'
import { checkDims, formatDims } from '../graph/dims.ts'
import type { Dim, Graph, Value } from '../graph/graph.ts'
import { AttributeReader } from '../ops/attributes.ts'
import { NodeContext } from '../ops/context.ts'
import { GraphBuilder } from '../ops/graph-builder.ts'
import { operators } from '../ops/registry.ts'
import { UnsupportedNode } from '../ops/unsupported.ts'
import type { GraphProto, ModelProto, NodeProto, ValueInfoProto } from './generated/onnx_pb.ts'
import { refuseIssues } from './issues.ts'
import { isStandardDomain, standardOpset } from './opsets.ts'
import { describeNode, sortNodes } from './sort-nodes.ts'
import { constantOf, dtypeOf, type PayloadFile } from './tensor-proto.ts'

/** Dimensions that a model declares: null where it gives no shape, and null for a dimension without size and name. */
function declaredDims(info: ValueInfoProto): readonly (Dim | null)[] | null {
  if (info.type?.value.case !== 'tensorType') return null
  return (
    info.type.value.value.shape?.dim.map(({ value }) => {
      if (value.case === 'dimValue') return Number(value.value)
      return value.case === 'dimParam' && value.value !== '' ? value.value : null
    }) ?? null
  )
}

function importInput(info: ValueInfoProto, symbols: Readonly<Record<string, number>>): Value {
  const what = `input ${quote(info.name)}`
  if (info.type?.value.case !== 'tensorType') {
    throw new ModelError('MODEL_DTYPE_UNSUPPORTED', `${what} is not a dense tensor`)
  }
  const declared = declaredDims(info)
  if (declared === null) throw new ModelError('MODEL_SHAPE_UNKNOWN', `${what} has no shape`)
  const dims = declared.map((dim, axis): Dim => {
    // Some exporters write 0 or -1 for a dimension that they do not know.
    const isKnown = typeof dim === 'number' && dim > 0
    const name = typeof dim === 'string' ? dim : `${info.name}_dim_${axis}`
    return isKnown ? dim : Object.hasOwn(symbols, name) ? (symbols[name] as number) : name
  })
  checkDims(dims, what)
  return { name: info.name, dtype: dtypeOf(info.type.value.value.elemType, what), dims, constant: null }
}

/** What is known of a name: a value, or that the node which makes it is not supported. */
type Entry = Value | 'poisoned'

class GraphImport {
  readonly builder = new GraphBuilder()
  readonly entries = new Map<string, Entry>()
  readonly issues: ModelIssue[] = []
  /** Constants that stand in the model as such, not computed from others. */
  readonly roots = new Set<Value>()
  /** Those of them that some node reads. */
  readonly parameters = new Set<Value>()
  readonly #opset: number
  readonly #file: PayloadFile

  constructor(opset: number, file: PayloadFile) {
    this.#opset = opset
    this.#file = file
  }

  async node(node: NodeProto): Promise<void> {
    try {
      const outputs = await this.#values(node)
      for (const [index, name] of node.output.entries()) {
        if (name !== '') this.entries.set(name, outputs[index] ?? 'poisoned')
      }
    } catch (error) {
      if (!(error instanceof UnsupportedNode)) throw error
      this.#refuse(node, error)
    }
  }

  #refuse(node: NodeProto, { code, message }: UnsupportedNode): void {
    for (const name of node.output) if (name !== '') this.entries.set(name, 'poisoned')
    const known = isStandardDomain(node.domain)
    this.issues.push({
      code,
      node: node.name || (node.output[0] ?? ''),
      operator: node.opType,
      domain: known ? 'ai.onnx' : node.domain,
      opset: known ? this.#opset : 0,
      reason: message,
    })
  }

  async #values(node: NodeProto): Promise<readonly Value[]> {
    const definition = isStandardDomain(node.domain) ? operators.get(node.opType) : undefined
    if (definition === undefined) throw new UnsupportedNode('the operator is not supported')
    if (definition.since > this.#opset) {
      throw new UnsupportedNode(`the operator came with operator set ${definition.since}`)
    }
    const inputs: (Value | null)[] = []
    for (const name of node.input) {
      const entry = name === '' ? null : this.entries.get(name)
      // The node that should have made it has been reported already.
      if (entry === 'poisoned') return this.#poison(node, name)
      const value = entry ?? null
      if (value !== null) await this.builder.learn(value)
      inputs.push(value)
    }
    const attributeConstants = new Map<string, ConstantTensor>()
    for (const attribute of node.attribute) {
      if (attribute.t === undefined) continue
      const what = `attribute ${quote(attribute.name)} of ${describeNode(node)}`
      attributeConstants.set(attribute.name, await constantOf(attribute.t, what, this.#file))
    }
    const ctx = new NodeContext(this.builder, {
      opset: this.#opset,
      opType: node.opType,
      origin: describeNode(node),
      inputs,
      outputCount: node.output.length,
      attributes: new AttributeReader(node.attribute),
      attributeConstants,
    })
    const result = definition.import(ctx)
    ctx.attributes.refuseUnread()
    const values = Array.isArray(result) ? (result as readonly Value[]) : [result as Value]
    for (const value of inputs) if (value !== null && this.roots.has(value)) this.parameters.add(value)
    if (node.input.length === 0 || node.opType === 'ConstantOfShape')
      for (const value of values) this.roots.add(value)
    return values
  }

  #poison(node: NodeProto, name: string): readonly Value[] {
    if (this.issues.length > 0) return []
    throw new UnsupportedNode(
      `reads ${quote(name)} of ${describeNode(node)}, an output that is not supported`,
    )
  }

  /** A value that the graph gives out. */
  output(info: ValueInfoProto): Value {
    const entry = this.entries.get(info.name)
    if (entry === undefined) {
      throw new ModelError('MODEL_VALUE_UNDEFINED', `output ${quote(info.name)} is defined by nothing`)
    }
    if (entry === 'poisoned') {
      throw new ModelError('MODEL_OPERATOR_UNSUPPORTED', `output ${quote(info.name)} cannot be computed`)
    }
    const declared = declaredDims(info)
    const clashes =
      declared !== null &&
      (declared.length !== entry.dims.length ||
        declared.some((dim, axis) => {
          const own = entry.dims[axis]
          return typeof dim === 'number' && dim > 0 && typeof own === 'number' && dim !== own
        }))
    if (clashes) {
      const detail = `output ${quote(info.name)} is declared as ${formatDims(declared.map((it) => it ?? '?'))}, it is ${formatDims(entry.dims)}`
      throw new ModelError('MODEL_SHAPE_MISMATCH', detail)
    }
    return entry
  }
}

async function importInitializers(graph: GraphProto, run: GraphImport, file: PayloadFile): Promise<void> {
  if (graph.sparseInitializer.length > 0) {
    throw new ModelError('MODEL_DTYPE_UNSUPPORTED', 'the model has sparse initializers')
  }
  for (const proto of graph.initializer) {
    const what = `initializer ${quote(proto.name)}`
    if (proto.name === '') throw new ModelError('MODEL_GRAPH_INVALID', 'an initializer has no name')
    if (run.entries.has(proto.name)) throw new ModelError('MODEL_NAME_DUPLICATE', `${what} is defined twice`)
    const constant = await constantOf(proto, what, file)
    const value = { name: proto.name, dtype: constant.dtype, dims: constant.dims, constant }
    run.entries.set(proto.name, value)
    run.roots.add(value)
  }
}

/** The parameters that nodes really read, each counted once. */
function countParameters(values: ReadonlySet<Value>): number {
  let count = 0
  for (const { constant, dtype } of values) {
    if (constant !== null && dtype === 'float32') count += elementCount(constant.dims)
  }
  return count
}

/** Brings a decoded graph into our operations, in one walk that infers shapes as it goes. */
export async function importGraph(
  graph: GraphProto,
  model: ModelProto,
  file: PayloadFile,
  symbols: Readonly<Record<string, number>>,
): Promise<Graph> {
  const run = new GraphImport(standardOpset(model), file)
  await importInitializers(graph, run, file)
  const inputs: Value[] = []
  const names = new Set<string>()
  for (const info of graph.input) {
    if (names.has(info.name) || info.name === '') {
      throw new ModelError('MODEL_NAME_DUPLICATE', `input ${quote(info.name)} is named twice or not at all`)
    }
    names.add(info.name)
    // Before IR version 4 every initializer was an input too; as a default value it is a constant for us.
    if (run.entries.has(info.name)) continue
    const value = importInput(info, symbols)
    for (const dim of value.dims) if (typeof dim === 'string') run.builder.probes.addSymbol(dim)
    run.entries.set(info.name, value)
    inputs.push(value)
  }
  for (const node of sortNodes(graph, new Set(run.entries.keys()))) await run.node(node)
  refuseIssues(run.issues)
  if (graph.output.length === 0) throw new ModelError('MODEL_GRAPH_INVALID', 'the graph has no outputs')
  const outputs = graph.output.map((info) => ({ name: info.name, value: run.output(info) }))
  if (new Set(outputs.map((it) => it.name)).size !== outputs.length) {
    throw new ModelError('MODEL_NAME_DUPLICATE', 'two outputs have the same name')
  }
  const operatorCounts: Record<string, number> = {}
  for (const { opType } of graph.node) operatorCounts[opType] = (operatorCounts[opType] ?? 0) + 1
  return {
    name: graph.name,
    inputs,
    outputs,
    nodes: run.builder.nodes,
    source: {
      nodeCount: graph.node.length,
      parameterCount: countParameters(run.parameters),
      operators: operatorCounts,
    },
  }
}
