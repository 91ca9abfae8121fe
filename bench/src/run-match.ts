// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import type { AnswerDifference, Contender } from './contest.ts'
import type { Match } from './plan.ts'
import { estimateMedian, type MedianEstimate, medianOf } from './report/statistics.ts'
import { runChild } from './run-child.ts'

export interface EngineResult {
  readonly engine: string
  readonly medianMs: number
  readonly fastestMs: number
  readonly gigaflopsPerSecond: number
  readonly memorySizeBytes: number | null
  readonly difference: AnswerDifference | null
}

/** What came of one network in one match. */
export interface MatchResult {
  readonly title: string
  readonly network: string
  readonly threadCount: number
  readonly parameterCount: number
  readonly macCount: number
  readonly roundCount: number
  readonly ours: EngineResult
  readonly peers: readonly EngineResult[]
  /** The peer with the fastest round, which a disturbance changes least; null where none is installed. */
  readonly best: EngineResult | null
  /** Our time over the best peer's, round by round. */
  readonly ratio: MedianEstimate | null
  readonly target: number | null
}

interface ContestResult {
  readonly macCount: number
  readonly parameterCount: number
  readonly contenders: readonly Contender[]
}

const contestPath = join(import.meta.dirname, 'contest-process.ts')

/**
 * Runs a network on our engine and on those peers that are installed.
 * @throws Error where an engine fails, or where two give different answers
 */
export async function runMatch(
  match: Match,
  network: string,
  peers: readonly string[],
  roundCount: number,
): Promise<MatchResult> {
  const { macCount, parameterCount, contenders } = await runChild<ContestResult>(contestPath, [
    ...['--network', network, '--engines', [match.ours, ...peers].join(',')],
    ...['--threads', String(match.threadCount), '--rounds', String(roundCount)],
  ])
  const resultOf = ({ engine, roundsMs, memorySizeBytes, difference }: Contender): EngineResult => {
    const medianMs = medianOf(roundsMs)
    return {
      engine,
      medianMs,
      fastestMs: Math.min(...roundsMs),
      gigaflopsPerSecond: (2 * macCount) / medianMs / 1e6,
      memorySizeBytes,
      difference,
    }
  }
  const [ours, ...others] = contenders as readonly [Contender, ...Contender[]]
  const best = others.reduce<Contender | null>(
    (least, it) => (least === null || Math.min(...it.roundsMs) < Math.min(...least.roundsMs) ? it : least),
    null,
  )
  return {
    title: match.title,
    network,
    threadCount: match.threadCount,
    parameterCount,
    macCount,
    roundCount,
    ours: resultOf(ours),
    peers: others.map(resultOf),
    best: best === null ? null : resultOf(best),
    ratio:
      best === null
        ? null
        : estimateMedian(ours.roundsMs.map((ms, round) => ms / (best.roundsMs[round] as number))),
    target: match.targets[network] ?? null,
  }
}
