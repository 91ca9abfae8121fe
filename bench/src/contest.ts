// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom, type Tensor } from '@mlcapsule/contracts'
import { compareTensors, randomFloats } from '@mlcapsule/model-graph/testing'
import type { Engine, LoadedEngine } from './engines/engine.ts'
import type { Network } from './networks/network.ts'

export interface ContestOptions {
  readonly threadCount: number
  /** Rounds that count; in each, every engine has one turn. */
  readonly roundCount: number
}

/** How far an answer is from the exact one, over the root mean square of the latter. */
export interface AnswerDifference {
  readonly largest: number
  readonly rms: number
  readonly isSameTop1: boolean
}

/** One engine's times. */
export interface Contender {
  readonly engine: string
  /** Milliseconds of one query, round by round. */
  readonly roundsMs: readonly number[]
  readonly memorySizeBytes: number | null
  /** Of an engine that computes with rounded weights; null for others. */
  readonly difference: AnswerDifference | null
}

/** A turn lasts about this long, so that a clock's grain and a short disturbance are small in it. */
const turnMs = 20
const maxQueriesPerTurn = 400
const warmUpCount = 3
/**
 * Before each turn. Threads of onnxruntime wait in a loop for more work after a query, 30 ms as measured here, and would take a
 * core from whoever comes next.
 */
const restMs = (threadCount: number) => (threadCount > 1 ? 40 : 5)

interface Entrant {
  readonly name: string
  readonly loaded: LoadedEngine
  readonly input: Float32Array
  readonly roundsMs: number[]
  readonly difference: AnswerDifference | null
  queryCount: number
}

/** Four steps of a quantized network's logits, whose step is 0.036. */
const logitTolerance = 0.15

/**
 * What two answers differ in by more than rounding: each element for itself, and small ones against the largest. Quantized
 * networks end in probabilities, whose logarithms are off by as much as the logits are.
 */
function disagreement(network: Network, given: Float32Array, wanted: Float32Array): string | null {
  const [answer, expected] = network.isQuantized
    ? [given.map(Math.log), wanted.map(Math.log)]
    : [given, wanted]
  const tensor = (data: Float32Array): Tensor => ({ dtype: 'float32', shape: [data.length], data })
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const tolerance = network.isQuantized
    ? { relative: 0, absolute: logitTolerance }
    : { relative: 1e-3, absolute: 1e-5 * largest }
  return compareTensors(tensor(answer), tensor(expected), tolerance).problem
}

/** More than this, root mean square over root mean square, is no rounding of weights. */
const mostDifference = 0.05

function differenceOf(answer: Float32Array, exact: Float32Array): AnswerDifference {
  const norm = Math.hypot(...exact)
  const differences = exact.map((value, i) => value - (answer[i] as number))
  const largest = differences.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const top = (values: Float32Array) => values.indexOf(values.reduce((most, it) => Math.max(most, it)))
  return {
    largest: (largest * Math.sqrt(exact.length)) / norm,
    rms: Math.hypot(...differences) / norm,
    isSameTop1: top(answer) === top(exact),
  }
}

async function timeTurn({ loaded, input, queryCount }: Entrant, threadCount: number): Promise<number> {
  await sleep(restMs(threadCount))
  // One query that does not count brings the engine's own data back into the caches, where it fits.
  if (queryCount > 1) await loaded.run(input)
  const startMs = performance.now()
  for (let i = 0; i < queryCount; i++) await loaded.run(input)
  return (performance.now() - startMs) / queryCount
}

/**
 * Lets engines answer the same queries in turns, forth and back. Answers are compared first.
 * @throws Error where two engines give different answers
 */
export async function contest(
  network: Network,
  engines: readonly Engine[],
  { threadCount, roundCount }: ContestOptions,
): Promise<readonly Contender[]> {
  const count = network.inputDims.reduce((product, dim) => product * dim, 1)
  const given = randomFloats(seededRandom(7), count, Math.sqrt(3))
  const entrants: Entrant[] = []
  try {
    let first: Float32Array | undefined
    // Exact engines first: what rounded weights give is measured by them.
    const inOrder = engines.toSorted(
      (a, b) => Number(a.isApproximate ?? false) - Number(b.isApproximate ?? false),
    )
    for (const engine of inOrder) {
      const loaded = await engine.load(network, threadCount)
      const input = loaded.arrange(given)
      const answer = Float32Array.from(await loaded.run(input))
      first ??= answer
      const difference = engine.isApproximate ? differenceOf(answer, first) : null
      entrants.push({ name: engine.name, loaded, input, roundsMs: [], difference, queryCount: 1 })
      const problem =
        difference === null
          ? disagreement(network, answer, first)
          : difference.rms <= mostDifference
            ? null
            : `off by ${difference.rms} of it`
      if (problem !== null)
        throw new Error(`${engine.name} gives another answer for ${network.name}: ${problem}`)
    }
    for (const entrant of entrants) {
      for (let i = 0; i < warmUpCount; i++) await timeTurn(entrant, threadCount)
      const queryMs = await timeTurn({ ...entrant, queryCount: 2 }, threadCount)
      entrant.queryCount = Math.min(Math.max(Math.ceil(turnMs / queryMs), 1), maxQueriesPerTurn)
    }
    for (let round = 0; round < roundCount; round++) {
      const order = round % 2 === 0 ? entrants : entrants.toReversed()
      for (const entrant of order) entrant.roundsMs.push(await timeTurn(entrant, threadCount))
    }
    const placeOf = (name: string) => engines.findIndex((engine) => engine.name === name)
    return entrants
      .toSorted((a, b) => placeOf(a.name) - placeOf(b.name))
      .map(({ name, loaded, roundsMs, difference }) => ({
        engine: name,
        roundsMs,
        memorySizeBytes: loaded.memorySizeBytes,
        difference,
      }))
  } finally {
    for (const { loaded } of entrants) await loaded.close()
  }
}
