// SPDX-License-Identifier: Apache-2.0
import { estimateMedian, type MedianEstimate } from '../report/statistics.ts'
import type { Entry } from './guarded.ts'
import { type Bench, measure, type Subject } from './measure.ts'

interface PairResult {
  readonly macCount: number
  readonly parameterCount: number
  readonly enclaveSizeBytes: number | null
  readonly memorySizeBytes: number
  readonly guardedMs: readonly number[]
  readonly plainMs: readonly number[]
}

/** Guarded and plain, side by side. */
export interface PairEstimate {
  readonly network: string
  readonly entry: Entry
  readonly pairCount: number
  readonly macCount: number
  readonly parameterCount: number
  readonly enclaveSizeBytes: number | null
  /** What the enclave counts: arena, weights, staging, records and scratch. */
  readonly memorySizeBytes: number
  readonly guardedMs: MedianEstimate
  readonly plainMs: MedianEstimate
  /** Guarded over plain, pair by pair. */
  readonly ratio: MedianEstimate
  /** Guarded less plain, pair by pair, in microseconds. */
  readonly addedUs: MedianEstimate
}

/** @throws Error where the guarded model gives another answer, or not a receipt for each query */
export async function measurePairs(bench: Bench, subject: Subject): Promise<PairEstimate> {
  const { guardedMs, plainMs, ...facts } = await measure<PairResult>('pair', bench, subject)
  const pairs = guardedMs.map((guarded, i) => [guarded, plainMs[i] as number] as const)
  return {
    network: subject.network,
    entry: subject.entry,
    pairCount: pairs.length,
    ...facts,
    guardedMs: estimateMedian(guardedMs),
    plainMs: estimateMedian(plainMs),
    ratio: estimateMedian(pairs.map(([guarded, plain]) => guarded / plain)),
    addedUs: estimateMedian(pairs.map(([guarded, plain]) => 1000 * (guarded - plain))),
  }
}
