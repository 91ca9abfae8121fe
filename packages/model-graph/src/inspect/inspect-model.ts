// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { compileWithPlan } from '../compile/compile.ts'
import { ModelError, type ModelIssue, quote } from '../errors.ts'
import { type Graph, isUnknown, type Value } from '../graph/graph.ts'
import { modelFormatOf } from '../import-model.ts'
import type { ModelProto, NodeProto } from '../onnx/generated/onnx_pb.ts'
import { examineOnnx } from '../onnx/import.ts'
import { isStandardDomain } from '../onnx/opsets.ts'
import type { ModelSource } from '../source/model-source.ts'
import { importTfjs } from '../tfjs/import.ts'
import { type CompiledInspection, inspectCompiled } from './inspect-compiled.ts'

export interface InspectOptions {
  /** Sizes of symbolic dimensions, by name, as for `importOnnx`. Figures assume one where none is given. */
  readonly symbols?: Readonly<Record<string, number>>
}

/** How often a model uses an operator. */
export interface OperatorUse {
  readonly operator: string
  readonly domain: string
  /** Version of the domain's operator set. */
  readonly operatorSet: number
  readonly count: number
  /** How many of these nodes are not supported. */
  readonly unsupportedCount: number
}

export interface InspectedTensor {
  readonly name: string
  readonly dtype: DType
  /** A name stands for a size that a query chooses, null for one that is worked out with every query. */
  readonly shape: readonly (number | string | null)[]
}

/**
 * What a model consists of, and what it takes to run it. Sizes are bytes; counts are for one query. Where nodes are not
 * supported, what depends on them is null.
 */
export interface ModelInspection {
  readonly format: 'onnx' | 'tfjs'
  readonly name: string
  /** What wrote the file, as far as it says so. */
  readonly producer: string
  readonly nodeCount: number | null
  readonly parameterCount: number | null
  /** Of constants that nodes read, in the dtypes that they are computed with, before they are packed. ONNX only. */
  readonly constantsSizeBytes: number | null
  /** Of a model of TensorFlow.js with nodes that are not supported those operators alone. */
  readonly operators: readonly OperatorUse[]
  readonly unsupportedNodes: readonly ModelIssue[]
  readonly inputs: readonly InspectedTensor[] | null
  readonly outputs: readonly InspectedTensor[] | null
  readonly compiled: CompiledInspection | null
}

const domainOf = ({ domain }: { readonly domain: string }) => (isStandardDomain(domain) ? 'ai.onnx' : domain)

function usesOf(
  { opsetImport }: ModelProto,
  nodes: readonly NodeProto[],
  issues: readonly ModelIssue[],
): readonly OperatorUse[] {
  const versions = new Map(opsetImport.map((it) => [domainOf(it), Number(it.version)]))
  const key = (domain: string, operator: string) => `${domain} ${operator}`
  const refused = new Map<string, number>()
  for (const { domain, operator } of issues) {
    refused.set(key(domain, operator), (refused.get(key(domain, operator)) ?? 0) + 1)
  }
  const uses = new Map<string, OperatorUse>()
  for (const node of nodes) {
    const domain = domainOf(node)
    const id = key(domain, node.opType)
    uses.set(id, {
      operator: node.opType,
      domain,
      operatorSet: versions.get(domain) ?? 0,
      count: (uses.get(id)?.count ?? 0) + 1,
      unsupportedCount: refused.get(id) ?? 0,
    })
  }
  return [...uses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use)
}

const tensorOf = (name: string, { dtype, dims }: Value): InspectedTensor => ({
  name,
  dtype,
  shape: dims.map((dim) => (isUnknown(dim) ? null : dim)),
})

function checkNames(known: readonly string[], symbols: Readonly<Record<string, number>>): void {
  for (const name of Object.keys(symbols)) {
    if (known.includes(name)) continue
    const names = known.map(quote).join(', ') || 'none'
    const detail = `no input has a dimension ${quote(name)}; there are: ${names}`
    throw new ModelError('MODEL_OPTION_INVALID', detail, { field: `symbols.${name}` })
  }
}

async function inspectOnnx(
  source: ModelSource,
  symbols: Readonly<Record<string, number>>,
): Promise<ModelInspection> {
  const { model, examined } = await examineOnnx(source, symbols)
  const { inputs, issues, nodes, parameterCount, constantsSizeBytes } = examined
  checkNames(examined.symbols, symbols)
  const graph = issues.length > 0 ? null : examined.finish()
  return {
    format: 'onnx',
    name: model.graph?.name ?? '',
    producer: [model.producerName, model.producerVersion].filter((it) => it !== '').join(' '),
    nodeCount: nodes.length,
    parameterCount,
    constantsSizeBytes,
    operators: usesOf(model, nodes, issues),
    unsupportedNodes: issues,
    inputs: inputs.map((value) => tensorOf(value.name, value)),
    outputs: graph?.outputs.map(({ name, value }) => tensorOf(name, value)) ?? null,
    compiled: graph === null ? null : inspectCompiled(await compileWithPlan(graph, {}), symbols),
  }
}

async function inspectTfjs(
  source: ModelSource,
  symbols: Readonly<Record<string, number>>,
): Promise<ModelInspection> {
  let graph: Graph | null = null
  let issues: readonly ModelIssue[] = []
  try {
    graph = await importTfjs(source, { symbols })
  } catch (error) {
    if (!(error instanceof ModelError) || error.issues.length === 0) throw error
    issues = error.issues
  }
  const counts = new Map<string, number>(Object.entries(graph?.source.operators ?? {}))
  for (const { operator } of issues) counts.set(operator, (counts.get(operator) ?? 0) + 1)
  return {
    format: 'tfjs',
    name: graph?.name ?? '',
    producer: '',
    nodeCount: graph?.source.nodeCount ?? null,
    parameterCount: graph?.source.parameterCount ?? null,
    constantsSizeBytes: null,
    operators: [...counts].sort().map(([operator, count]) => ({
      operator,
      domain: 'tensorflow.js',
      operatorSet: 0,
      count,
      unsupportedCount: graph === null ? count : 0,
    })),
    unsupportedNodes: issues,
    inputs: graph?.inputs.map((value) => tensorOf(value.name, value)) ?? null,
    outputs: graph?.outputs.map(({ name, value }) => tensorOf(name, value)) ?? null,
    compiled: graph === null ? null : inspectCompiled(await compileWithPlan(graph, {}), symbols),
  }
}

/**
 * Reports on a model, of ONNX or TensorFlow.js. Nodes that are not supported are a part of the report; what makes a file no
 * model at all is thrown.
 * @throws ModelError any `MODEL_*` code but `MODEL_OPERATOR_UNSUPPORTED`; KernelError `PROGRAM_*` where the program goes
 *   beyond a limit of the engine, or does not take the sizes given
 */
export async function inspectModel(
  source: ModelSource,
  options: InspectOptions = {},
): Promise<ModelInspection> {
  const inspect = (await modelFormatOf(source)) === 'tfjs' ? inspectTfjs : inspectOnnx
  return inspect(source, options.symbols ?? {})
}
