// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError, type KernelBackend, type Tensor } from '@mlcapsule/contracts'
import {
  type CompiledModel,
  compileGraph,
  importOnnx,
  ModelError,
  memoryModelSource,
} from '@mlcapsule/model-graph'
import { compareTensors, runCompiled } from '@mlcapsule/model-graph/testing'
import { errorText, reasonsOf } from '../support/error-text.ts'
import { encodeGraph } from './encode-graph.ts'
import { type FuzzGraph, type FuzzOutput, withFixedSizes } from './fuzz-graph.ts'
import type { Peer } from './peer.ts'

/**
 * `same`: all agree. `unsupported`: we say that we do not do it. `refused`: nobody takes it, and we say so with a code.
 * `unconfirmed`: our backends agree, and the peer does not take it.
 */
export type GraphVerdict = 'same' | 'unsupported' | 'refused' | 'unconfirmed' | 'difference'

export interface GraphJudgement {
  readonly verdict: GraphVerdict
  readonly detail: string
}

const unsupportedCodes: ReadonlySet<string> = new Set([
  'MODEL_OPERATOR_UNSUPPORTED',
  'MODEL_DTYPE_UNSUPPORTED',
])

/** A symbolic dimension may have to have one certain size: then the importer wants to be told. */
const shapeCodes: ReadonlySet<string> = new Set(['MODEL_SHAPE_MISMATCH', 'PROGRAM_INVALID'])

const isSymbolic = ({ inputs }: FuzzGraph) =>
  inputs.some(({ declared }) => declared.some((dim) => typeof dim === 'string'))

const say = (error: unknown) => errorText(error).split('\n').slice(0, 6).join('\n  ')

/** What two runtimes do not agree on; null where they do. */
function disagreement(
  actual: readonly Tensor[],
  expected: readonly Tensor[],
  outputs: readonly FuzzOutput[],
): string | null {
  for (const [i, { name, estimate }] of outputs.entries()) {
    // Each of the two may be off.
    const tolerance = { relative: 0, absolute: 2 * estimate.error }
    const { problem } = compareTensors(actual[i] as Tensor, expected[i] as Tensor, tolerance)
    if (problem !== null) return `${name}: ${problem} (bound ${tolerance.absolute.toExponential(1)})`
  }
  return null
}

interface Answer {
  readonly name: string
  readonly outputs: readonly Tensor[]
}

interface Refusal {
  readonly refusal: string
  /** Whether none of our backends takes it. */
  readonly isShared: boolean
}

/**
 * Answers of all backends, or what they said against it.
 * @throws what no backend may say: an error without a code
 */
async function askBackends(
  model: CompiledModel,
  graph: FuzzGraph,
  backends: readonly KernelBackend[],
): Promise<readonly Answer[] | Refusal> {
  const byName = new Map(graph.inputs.map((it) => [it.name, it.tensor]))
  const inputs = model.inputs.map(({ name }) => byName.get(name) as Tensor)
  const answers: Answer[] = []
  const refusals: string[] = []
  for (const kernels of backends) {
    try {
      answers.push({ name: kernels.name, outputs: await runCompiled(model, inputs, kernels) })
    } catch (error) {
      if (!isMlCapsuleError(error)) throw error
      refusals.push(`${kernels.name}: ${say(error)}`)
    }
  }
  const [refusal] = refusals
  return refusal === undefined ? answers : { refusal, isShared: answers.length === 0 }
}

/** Runs a graph on all kernel backends and on the peer, and compares each with the last backend. */
export async function judgeGraph(
  graph: FuzzGraph,
  backends: readonly KernelBackend[],
  peer: Peer | null,
): Promise<GraphJudgement> {
  const bytes = encodeGraph(graph)
  let answers: readonly Answer[] | Refusal
  try {
    answers = await askBackends(
      await compileGraph(await importOnnx(memoryModelSource(bytes))),
      graph,
      backends,
    )
  } catch (error) {
    if (error instanceof ModelError && unsupportedCodes.has(error.code)) {
      return { verdict: 'unsupported', detail: reasonsOf(error) }
    }
    if (isMlCapsuleError(error) && shapeCodes.has(error.code) && isSymbolic(graph)) {
      const { verdict, detail } = await judgeGraph(withFixedSizes(graph), backends, peer)
      if (verdict === 'same')
        return { verdict: 'unsupported', detail: `needs sizes for symbols: ${say(error)}` }
      return { verdict, detail }
    }
    // A fault of ours, whatever the peer says of the graph.
    if (!isMlCapsuleError(error)) return { verdict: 'difference', detail: say(error) }
    answers = { refusal: say(error), isShared: true }
  }
  const peerAnswer = peer === null ? null : await askPeer(peer, bytes, graph)
  if ('refusal' in answers) {
    const isRefused = answers.isShared && typeof peerAnswer === 'string'
    return { verdict: isRefused ? 'refused' : 'difference', detail: answers.refusal }
  }
  const judged = answers.at(-1) as Answer
  const against = (other: Answer): GraphJudgement | null => {
    const problem = disagreement(other.outputs, judged.outputs, graph.outputs)
    return problem === null
      ? null
      : { verdict: 'difference', detail: `${other.name} and ${judged.name}: ${problem}` }
  }
  for (const other of answers) {
    const judgement = against(other)
    if (judgement !== null) return judgement
  }
  if (peer === null || peerAnswer === null) return { verdict: 'same', detail: '' }
  if (typeof peerAnswer === 'string') return { verdict: 'unconfirmed', detail: peerAnswer }
  const judgement = against(peerAnswer)
  if (judgement === null) return { verdict: 'same', detail: '' }
  // What it answers without rewriting the graph is closer to the operators' definitions.
  const plain = await askPeer(peer, bytes, graph, false)
  const isWithdrawn = typeof plain !== 'string' && against(plain) === null
  return isWithdrawn ? { verdict: 'unconfirmed', detail: `${peer.name} contradicts itself` } : judgement
}

async function askPeer(
  peer: Peer,
  bytes: Uint8Array,
  graph: FuzzGraph,
  optimizes = true,
): Promise<Answer | string> {
  try {
    return { name: peer.name, outputs: await peer.run(bytes, graph, optimizes) }
  } catch (error) {
    return (error as Error).message
  }
}
