// SPDX-License-Identifier: Apache-2.0
import { elementCount, elementSizeBytes } from '@mlcapsule/contracts'
import { createSession } from '@mlcapsule/inference-kernels'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { macsOf } from '../compile/counts.ts'
import { lower } from '../compile/lower.ts'
import { inlineConstant } from '../graph/constant.ts'
import { type Graph, type GraphNode, operandsOf, outputsOf, type Value } from '../graph/graph.ts'
import { assignLayouts } from './assign-layouts.ts'
import { rewritten, withOperands } from './rewrite.ts'

/** Larger tensors are left to the program, so that weights stay as small as the model made them. */
const foldedSizeBytes = 16 * 1024 * 1024
/** So are larger products: folding must not take longer than packing. */
const foldedMacCount = 2 ** 26
/** Elements and products of all that is folded in a model. */
const foldedWorkCount = 2 ** 27

/** What may still be spent on folding, in a graph and the branches within it. */
export interface FoldingBudget {
  leftCount: number
}

export const foldingBudget = (): FoldingBudget => ({ leftCount: foldedWorkCount })

/** Nodes, and values that come out of them, that are run in one go. */
const batchSize = 128

const sizeOf = ({ dims, dtype }: Value) => elementCount(dims as number[]) * elementSizeBytes(dtype)

function isFoldable(node: GraphNode, folded: ReadonlySet<Value>): boolean {
  // Normalizations are spelled out by a later pass.
  if (node.op === 'batchNorm' || node.op === 'if') return false
  const operands = operandsOf(node)
  if (!operands.every((it) => it.constant !== null || folded.has(it))) return false
  const outputs = outputsOf(node)
  if (
    outputs.some(({ dims }) => dims.some((dim) => typeof dim === 'string')) ||
    macsOf(node) > foldedMacCount
  ) {
    return false
  }
  return [...operands, ...outputs].every((it) => sizeOf(it) <= foldedSizeBytes)
}

async function concatenate(chunks: AsyncIterable<Uint8Array>, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes)
  let offset = 0
  for await (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

/** Runs nodes that depend on constants alone, on the reference kernels, and gives their results. */
async function evaluate(
  graph: Graph,
  nodes: readonly GraphNode[],
  wanted: readonly Value[],
): Promise<Map<Value, Value>> {
  const outputs = wanted.map((value, index) => ({ name: `v${index}`, value }))
  const { program, weights } = lower(assignLayouts({ ...graph, inputs: [], nodes, outputs }))
  const bytes = await concatenate(weights.chunks(), weights.sizeBytes)
  const session = await createSession({ kernels: referenceKernels, program, weights: bytes })
  const results = session.run(new Map())
  session.dispose()
  return new Map(
    outputs.map(({ name, value }) => {
      const tensor = results.get(name)
      if (tensor === undefined) throw new TypeError(`the engine gave no ${name}`)
      return [value, { ...value, constant: inlineConstant(tensor.dtype, tensor.shape, tensor.data) }]
    }),
  )
}

const countOf = (value: Value) => elementCount(value.dims as number[])

/** Those nodes, in their order, that can be computed beforehand with the work that may be spent. */
function foldableNodes(graph: Graph, budget: FoldingBudget): readonly GraphNode[] {
  const folded = new Set<Value>()
  return graph.nodes.filter((node) => {
    if (!isFoldable(node, folded)) return false
    const values = [...operandsOf(node), ...outputsOf(node)]
    const workCount = values.reduce((sum, value) => sum + countOf(value), macsOf(node))
    if (workCount > budget.leftCount) return false
    budget.leftCount -= workCount
    for (const value of outputsOf(node)) folded.add(value)
    return true
  })
}

function batches(nodes: readonly GraphNode[]): readonly (readonly GraphNode[])[] {
  const all: GraphNode[][] = []
  let outputCount = 0
  for (const node of nodes) {
    outputCount += outputsOf(node).length
    if (all.length === 0 || outputCount > batchSize) {
      all.push([])
      outputCount = outputsOf(node).length
    }
    all.at(-1)?.push(node)
  }
  return all
}

/** Computes what depends on constants alone once, here, instead of with every query. */
export async function foldConstants(graph: Graph, budget = foldingBudget()): Promise<Graph> {
  const foldable = foldableNodes(graph, budget)
  if (foldable.length === 0) return graph
  const gone = new Set(foldable)
  const rest = graph.nodes.filter((node) => !gone.has(node))
  const read = new Set([...rest.flatMap(operandsOf), ...graph.outputs.map((it) => it.value)])
  const parts = batches(foldable)
  const wanted: Value[][] = []
  // From the end, where it is known what later batches read.
  for (const batch of parts.toReversed()) {
    wanted.unshift(batch.flatMap(outputsOf).filter((it) => read.has(it)))
    for (const node of batch) for (const value of operandsOf(node)) read.add(value)
  }
  const results = new Map<Value, Value>()
  for (const [i, batch] of parts.entries()) {
    const nodes = batch.map((node) => withOperands(node, (value) => results.get(value) ?? value))
    const outputs = wanted[i] ?? []
    if (outputs.length === 0) continue
    for (const [value, result] of await evaluate(graph, nodes, outputs)) results.set(value, result)
  }
  return rewritten(graph, rest, results)
}
