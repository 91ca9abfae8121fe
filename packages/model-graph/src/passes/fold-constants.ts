// SPDX-License-Identifier: Apache-2.0
import { elementCount, elementSizeBytes } from '@mlcapsule/contracts'
import { createSession } from '@mlcapsule/inference-kernels'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { macsOf } from '../compile/counts.ts'
import { lower } from '../compile/lower.ts'
import { inlineConstant } from '../graph/constant.ts'
import { type Graph, type GraphNode, operandsOf, outputsOf, type Value } from '../graph/graph.ts'
import { assignLayouts } from './assign-layouts.ts'
import { rewritten } from './rewrite.ts'

/** Larger tensors are left to the program, so that weights stay as small as the model made them. */
const foldedSizeBytes = 16 * 1024 * 1024
/** So are larger products: folding must not take longer than packing. */
const foldedMacCount = 2 ** 26

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

/** Computes what depends on constants alone once, here, instead of with every query. */
export async function foldConstants(graph: Graph): Promise<Graph> {
  const folded = new Set<Value>()
  const foldable = graph.nodes.filter((node) => {
    const fits = isFoldable(node, folded)
    if (fits) for (const value of outputsOf(node)) folded.add(value)
    return fits
  })
  if (foldable.length === 0) return graph
  const rest = graph.nodes.filter((node) => !folded.has(node.output))
  const read = new Set([...rest.flatMap(operandsOf), ...graph.outputs.map((it) => it.value)])
  const results = await evaluate(
    graph,
    foldable,
    [...folded].filter((it) => read.has(it)),
  )
  return rewritten(graph, rest, results)
}
