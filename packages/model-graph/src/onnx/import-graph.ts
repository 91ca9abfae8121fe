// SPDX-License-Identifier: Apache-2.0
import { elementCount, elementSizeBytes } from '@mlcapsule/contracts'
import { ModelError, type ModelIssue, quote } from '../errors.ts'
import { computedDtype } from '../graph/cast.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { operators } from '../ops/registry.ts'
import { removeDeadNodes } from '../passes/remove-dead-nodes.ts'
import { importInput } from './declared.ts'
import type { GraphProto, ModelProto, NodeProto, ValueInfoProto } from './generated/onnx_pb.ts'
import { GraphImport } from './graph-import.ts'
import { refuseIssues } from './issues.ts'
import { standardOpset } from './opsets.ts'
import { functionKey } from './reasons.ts'
import { sortNodes } from './sort-nodes.ts'
import { dtypeOf, type PayloadFile } from './tensor-proto.ts'

/** The parameters that nodes really read, each counted once. */
function countParameters(values: ReadonlySet<Value>): number {
  let count = 0
  for (const { constant, dtype } of values) {
    if (constant !== null && dtype === 'float32') count += elementCount(constant.dims)
  }
  return count
}

/** The nodes of a graph and of the branches within it. */
function allNodes(graph: GraphProto): readonly NodeProto[] {
  const inBranches = (node: NodeProto) =>
    node.attribute.flatMap(({ g }) => (g === undefined ? [] : allNodes(g)))
  return graph.node.flatMap((node) => [node, ...inBranches(node)])
}

/** Half and double precision are for the outside: computed with is single precision. */
function asComputed({ builder }: GraphImport, value: Value): Value {
  const to = computedDtype(value.dtype)
  if (to === value.dtype) return value
  return builder.operator('Cast', [value], { to }, 1, `input ${quote(value.name)}`)[0] as Value
}

/** An output in the dtype that the model declares for it. */
function asDeclared(run: GraphImport, info: ValueInfoProto): Value {
  const value = run.output(info)
  const declared = info.type?.value.case === 'tensorType' ? info.type.value.value.elemType : 0
  if (declared === 0) return value
  const what = `output ${quote(info.name)}`
  const to = dtypeOf(declared, what)
  if (to === value.dtype || computedDtype(to) !== value.dtype) return value
  return run.builder.operator('Cast', [value], { to }, 1, what)[0] as Value
}

/** What a walk over a graph has found, also where not all of it can be imported. */
export interface ExaminedGraph {
  readonly inputs: readonly Value[]
  /** Names of symbolic dimensions that the file has, also those that sizes were given for. */
  readonly symbols: readonly string[]
  /** Nodes that are not supported. */
  readonly issues: readonly ModelIssue[]
  /** All nodes, those of branches among them. */
  readonly nodes: readonly NodeProto[]
  readonly parameterCount: number
  /** Bytes of the constants that nodes read, in the dtypes that they are computed with. */
  readonly constantsSizeBytes: number
  /** @throws ModelError if there are issues, or the outputs are at fault */
  finish(): Graph
}

/** Walks over a decoded graph, brings it into our operations, and infers shapes on the way. */
export async function examineGraph(
  graph: GraphProto,
  model: ModelProto,
  file: PayloadFile,
  symbols: Readonly<Record<string, number>>,
): Promise<ExaminedGraph> {
  const run = new GraphImport(standardOpset(model), file, new Set(model.functions.map(functionKey)))
  await run.initializers(graph)
  const inputs: Value[] = []
  const names = new Set<string>()
  const symbolNames = new Set<string>()
  for (const info of graph.input) {
    if (names.has(info.name) || info.name === '') {
      throw new ModelError('MODEL_NAME_DUPLICATE', `input ${quote(info.name)} is named twice or not at all`)
    }
    names.add(info.name)
    // Before IR version 4 every initializer was an input too; as a default value it is a constant for us.
    if (run.entries.has(info.name)) continue
    const value = importInput(info, symbols)
    for (const dim of importInput(info, {}).dims) if (typeof dim === 'string') symbolNames.add(dim)
    for (const dim of value.dims) if (typeof dim === 'string') run.builder.probes.addSymbol(dim)
    run.entries.set(info.name, asComputed(run, value))
    inputs.push(value)
  }
  for (const node of sortNodes(graph, run.entries)) await run.node(node)
  const nodes = allNodes(graph)
  const parameterCount = countParameters(run.parameters)
  let constantsSizeBytes = 0
  for (const { dims, dtype } of run.parameters) {
    constantsSizeBytes += elementCount(dims as number[]) * elementSizeBytes(dtype)
  }
  const { issues } = run
  const finish = () => finished(graph, run, inputs, nodes, parameterCount)
  return { inputs, symbols: [...symbolNames], issues, nodes, parameterCount, constantsSizeBytes, finish }
}

function finished(
  graph: GraphProto,
  run: GraphImport,
  inputs: readonly Value[],
  sourceNodes: readonly NodeProto[],
  parameterCount: number,
): Graph {
  refuseIssues(run.issues, operators.keys())
  if (graph.output.length === 0) throw new ModelError('MODEL_GRAPH_INVALID', 'the graph has no outputs')
  const outputs = graph.output.map((info) => ({ name: info.name, value: asDeclared(run, info) }))
  if (new Set(outputs.map((it) => it.name)).size !== outputs.length) {
    throw new ModelError('MODEL_NAME_DUPLICATE', 'two outputs have the same name')
  }
  const operatorCounts = new Map<string, number>()
  for (const { opType } of sourceNodes) operatorCounts.set(opType, (operatorCounts.get(opType) ?? 0) + 1)
  // Computations on shapes have served their purpose where all that they give was known.
  return removeDeadNodes({
    name: graph.name,
    inputs,
    outputs,
    nodes: run.builder.nodes,
    source: { nodeCount: sourceNodes.length, parameterCount, operators: Object.fromEntries(operatorCounts) },
  })
}
