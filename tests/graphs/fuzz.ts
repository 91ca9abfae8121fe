// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { compileGraph, importOnnx, memoryModelSource } from '@mlcapsule/model-graph'
import { runCompiled } from '@mlcapsule/model-graph/testing'
import { encodeGraph } from './encode-graph.ts'
import type { FuzzGraph } from './fuzz-graph.ts'
import { type GraphVerdict, judgeGraph } from './judge-graph.ts'
import { minimize } from './minimize.ts'
import type { Peer } from './peer.ts'
import { printGraph } from './print-graph.ts'
import { randomGraph } from './random-graph.ts'

export interface Difference {
  readonly seed: number
  readonly detail: string
  /** The smallest graph found that still differs, in lines. */
  readonly graph: string
}

export type SeedsByReason = Readonly<Record<string, readonly number[]>>

export interface FuzzReport {
  readonly counts: Readonly<Record<GraphVerdict, number>>
  /** Nodes of each operator in all graphs. */
  readonly operators: Readonly<Record<string, number>>
  readonly differences: readonly Difference[]
  /** Graphs that are not supported, or not taken by the peer: the seeds for each reason. */
  readonly reasons: Readonly<Record<Exclude<GraphVerdict, 'same' | 'difference'>, SeedsByReason>>
}

export interface FuzzOptions {
  /** Graphs to build, from seeds `seed`, `seed + 1`, … */
  readonly count: number
  readonly seed: number
  readonly backends: readonly KernelBackend[]
  readonly peer: Peer | null
  readonly onProgress?: (doneCount: number) => void
  readonly onDifference?: (difference: Difference) => void
}

/** Elements of every value, so that parts of the graph can be run alone; what cannot be had is left out. */
async function elementsOf(graph: FuzzGraph, peer: Peer | null): Promise<ReadonlyMap<string, Tensor>> {
  const outputs = [...graph.values.values()]
  const whole: FuzzGraph = { ...graph, outputs }
  const bytes = encodeGraph(whole)
  try {
    if (peer !== null) return named(await peer.run(bytes, whole), outputs)
  } catch {
    // Our own kernels may take it.
  }
  try {
    const model = await compileGraph(await importOnnx(memoryModelSource(bytes)))
    const inputs = model.inputs.map(
      ({ name }) => graph.inputs.find((it) => it.name === name)?.tensor as Tensor,
    )
    return named(await runCompiled(model, inputs, referenceKernels), outputs)
  } catch {
    return new Map()
  }
}

const named = (tensors: readonly Tensor[], outputs: FuzzGraph['outputs']) =>
  new Map(tensors.map((tensor, i) => [outputs[i]?.name as string, tensor]))

async function explain(seed: number, graph: FuzzGraph, { backends, peer }: FuzzOptions): Promise<Difference> {
  const judge = (it: FuzzGraph) => judgeGraph(it, backends, peer)
  const differs = async (it: FuzzGraph) => (await judge(it)).verdict === 'difference'
  const smallest = await minimize(graph, await elementsOf(graph, peer), differs)
  return { seed, detail: (await judge(smallest)).detail, graph: printGraph(smallest) }
}

/** Numbers in a message differ from graph to graph. */
const withoutNumbers = (text: string) => text.replaceAll(/-?\d+/g, 'n').split('\n', 1)[0]?.slice(0, 160) ?? ''

/** Builds random graphs and compares all runtimes on each. */
export async function fuzzGraphs(options: FuzzOptions): Promise<FuzzReport> {
  const counts: Record<GraphVerdict, number> = {
    same: 0,
    unsupported: 0,
    refused: 0,
    unconfirmed: 0,
    difference: 0,
  }
  const operators: Record<string, number> = {}
  const reasons = { unsupported: {}, refused: {}, unconfirmed: {} }
  const differences: Difference[] = []
  for (let i = 0; i < options.count; i++) {
    options.onProgress?.(i)
    const seed = options.seed + i
    const graph = randomGraph(seed)
    for (const { op } of graph.nodes) operators[op] = (operators[op] ?? 0) + 1
    const { verdict, detail } = await judgeGraph(graph, options.backends, options.peer)
    counts[verdict]++
    if (verdict === 'same') continue
    if (verdict !== 'difference') {
      const seeds: Record<string, number[]> = reasons[verdict]
      seeds[withoutNumbers(detail)] = [...(seeds[withoutNumbers(detail)] ?? []), seed]
      continue
    }
    const difference = await explain(seed, graph, options)
    differences.push(difference)
    options.onDifference?.(difference)
  }
  return { counts, operators, differences, reasons }
}
