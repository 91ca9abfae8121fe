// SPDX-License-Identifier: Apache-2.0
import { ModelError, type ModelIssue, quote } from '../errors.ts'
import { computedConstant } from '../graph/cast.ts'
import type { ConstantTensor } from '../graph/constant.ts'
import { formatDims } from '../graph/dims.ts'
import type { Value } from '../graph/graph.ts'
import { modelLimits } from '../limits.ts'
import { AttributeReader } from '../ops/attributes.ts'
import { NodeContext } from '../ops/context.ts'
import { GraphBuilder } from '../ops/graph-builder.ts'
import { controlFlowOperators, operators } from '../ops/registry.ts'
import { UnsupportedNode } from '../ops/unsupported.ts'
import { declaredDims } from './declared.ts'
import type { GraphProto, NodeProto, ValueInfoProto } from './generated/onnx_pb.ts'
import { isStandardDomain } from './opsets.ts'
import { reasonAgainst } from './reasons.ts'
import { Scope } from './scope.ts'
import { describeNode, sortNodes } from './sort-nodes.ts'
import { sparseConstantOf } from './sparse-tensor.ts'
import { constantOf, type PayloadFile } from './tensor-proto.ts'

/** One walk over the nodes of a graph, which checks each, infers shapes and emits our operations. */
export class GraphImport {
  readonly builder: GraphBuilder
  readonly entries: Scope
  readonly issues: ModelIssue[]
  /** Constants that stand in the model as such, not computed from others. */
  readonly roots: Set<Value>
  /** Those of them that some node reads. */
  readonly parameters: Set<Value>
  readonly #opset: number
  readonly #file: PayloadFile
  readonly #functions: ReadonlySet<string>

  /**
   * @param functions the operators that the model defines itself, as `functionKey` names them
   * @param around the graph that a branch stands in, and where its nodes go
   */
  constructor(
    opset: number,
    file: PayloadFile,
    functions: ReadonlySet<string>,
    around?: { readonly graph: GraphImport; readonly builder: GraphBuilder },
  ) {
    this.#opset = opset
    this.#file = file
    this.#functions = functions
    this.builder = around?.builder ?? new GraphBuilder()
    this.entries = new Scope(around?.graph.entries)
    this.issues = around?.graph.issues ?? []
    this.roots = around?.graph.roots ?? new Set()
    this.parameters = around?.graph.parameters ?? new Set()
  }

  /** @throws ModelError `MODEL_NAME_DUPLICATE`, `MODEL_GRAPH_INVALID`, and those of `constantOf` */
  async initializers(graph: GraphProto): Promise<void> {
    if (graph.sparseInitializer.length > 0) {
      throw new ModelError('MODEL_DTYPE_UNSUPPORTED', 'the model has sparse initializers')
    }
    for (const proto of graph.initializer) {
      const what = `initializer ${quote(proto.name)}`
      if (proto.name === '') throw new ModelError('MODEL_GRAPH_INVALID', 'an initializer has no name')
      if (this.entries.has(proto.name))
        throw new ModelError('MODEL_NAME_DUPLICATE', `${what} is defined twice`)
      const constant = computedConstant(await constantOf(proto, what, this.#file))
      const value = { name: proto.name, dtype: constant.dtype, dims: constant.dims, constant }
      this.entries.set(proto.name, value)
      this.roots.add(value)
    }
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
    const operandCount = Math.max(node.input.length, node.output.length)
    if (operandCount > modelLimits.nodeOperandCount) {
      const detail = `has ${operandCount} inputs or outputs, more than ${modelLimits.nodeOperandCount}`
      throw new ModelError('MODEL_TOO_LARGE', `${describeNode(node)} ${detail}`)
    }
    const isStandard = isStandardDomain(node.domain)
    if (isStandard && controlFlowOperators.has(node.opType)) return this.#branching(node)
    const definition = isStandard ? operators.get(node.opType) : undefined
    if (definition === undefined) throw new UnsupportedNode(reasonAgainst(node, this.#functions))
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
      const { name, t: dense, sparseTensor: sparse } = attribute
      const what = `attribute ${quote(name)} of ${describeNode(node)}`
      if (dense !== undefined) {
        attributeConstants.set(name, computedConstant(await constantOf(dense, what, this.#file)))
      } else if (sparse !== undefined) {
        attributeConstants.set(name, computedConstant(await sparseConstantOf(sparse, what, this.#file)))
      }
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

  async #branching(node: NodeProto): Promise<readonly Value[]> {
    const entry = this.entries.get(node.input[0] ?? '')
    if (entry === 'poisoned') return this.#poison(node, node.input[0] as string)
    const origin = describeNode(node)
    if (entry === undefined) throw new ModelError('MODEL_GRAPH_INVALID', `${origin} lacks its condition`)
    await this.builder.learn(entry)
    const attributes = new AttributeReader(node.attribute)
    const graphs = ['then_branch', 'else_branch'].map((name) => {
      const graph = attributes.graph(name)
      if (graph?.output.length !== node.output.length) {
        throw new ModelError('MODEL_GRAPH_INVALID', `${origin}: ${name} is missing or has other outputs`)
      }
      return graph
    }) as [GraphProto, GraphProto]
    attributes.refuseUnread()
    const known = this.builder.probes.uniform(entry)
    if (entry.dtype !== 'bool' || (known !== null && known.length !== 1)) {
      const condition = `${entry.dtype} ${formatDims(entry.dims)}`
      throw new ModelError('MODEL_GRAPH_INVALID', `${origin}: its condition is ${condition}, not one bool`)
    }
    // Where the condition is known the branch is a part of the graph around it.
    if (known !== null) return this.#branch(graphs[Number(known[0]) !== 0 ? 0 : 1], this.builder)
    const builders = [new GraphBuilder(this.builder.probes), new GraphBuilder(this.builder.probes)] as const
    const { probes } = this.builder
    const then = await probes.under(entry, true, () => this.#branch(graphs[0], builders[0]))
    const otherwise = await probes.under(entry, false, () => this.#branch(graphs[1], builders[1]))
    if (this.issues.length > 0) return []
    const [output, ...moreOutputs] = then.map((value, i) =>
      this.#joined(entry, value, otherwise[i] as Value, origin),
    )
    if (output === undefined) throw new ModelError('MODEL_GRAPH_INVALID', `${origin} has no outputs`)
    const branches = [
      { nodes: builders[0].nodes, outputs: then },
      { nodes: builders[1].nodes, outputs: otherwise },
    ] as const
    this.builder.nodes.push({
      op: 'if',
      attributes: { branches },
      inputs: [entry],
      output,
      moreOutputs,
      origin,
    })
    return [output, ...moreOutputs]
  }

  async #branch(graph: GraphProto, builder: GraphBuilder): Promise<readonly Value[]> {
    const run = new GraphImport(this.#opset, this.#file, this.#functions, { graph: this, builder })
    await run.initializers(graph)
    for (const node of sortNodes(graph, run.entries)) await run.node(node)
    if (run.issues.length > 0) return []
    return graph.output.map((info) => run.output(info))
  }

  /** What comes out of one branch or the other. */
  #joined(condition: Value, a: Value, b: Value, origin: string): Value {
    if (a.dtype !== b.dtype || a.dims.length !== b.dims.length) {
      const detail = `its branches give ${a.dtype} ${formatDims(a.dims)} and ${b.dtype} ${formatDims(b.dims)}`
      const isOfSizes = this.builder.probes.isTraced(condition)
      throw new UnsupportedNode(
        isOfSizes ? `${detail}; which one it is depends on sizes of inputs: give them beforehand` : detail,
      )
    }
    const dims = this.builder.probes.either(condition, a.dims, b.dims)
    return { name: origin, dtype: a.dtype, dims, constant: null }
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
