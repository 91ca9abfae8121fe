// SPDX-License-Identifier: Apache-2.0

/** A median with the interval that holds it in 95 of 100 cases, whatever the distribution. */
export interface MedianEstimate {
  readonly median: number
  readonly low: number
  readonly high: number
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2
}

/** How many values may be cut off at each end of n sorted ones: the sign test's interval at 95 %. */
function cutCount(n: number): number {
  let probability = 0.5 ** n
  let below = 0
  for (let k = 0; k < n / 2; k++) {
    below += probability
    if (below > 0.025) return k
    probability *= (n - k) / (k + 1)
  }
  return Math.floor((n - 1) / 2)
}

/** @param values at least one; of fewer than six the interval is their range and holds the median less often */
export function estimateMedian(values: readonly number[]): MedianEstimate {
  const sorted = [...values].sort((a, b) => a - b)
  const cut = Math.max(cutCount(sorted.length) - 1, 0)
  return {
    median: medianOf(sorted),
    low: sorted[cut] as number,
    high: sorted[sorted.length - 1 - cut] as number,
  }
}
