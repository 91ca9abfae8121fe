// SPDX-License-Identifier: Apache-2.0

/** Numbers in [0, 1) that are the same for the same seed: mulberry32. Not for secrets. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Chooses a token by its score: with a temperature of 0 the first of the highest, else one at random with the probabilities
 * softmax(scores ÷ temperature).
 */
export function pickToken(scores: ArrayLike<number>, temperature: number, random: () => number): number {
  let best = 0
  for (let token = 1; token < scores.length; token++) {
    if ((scores[token] as number) > (scores[best] as number)) best = token
  }
  if (temperature === 0) return best
  const highest = scores[best] as number
  const weights = Array.from(scores, (score) => Math.exp((score - highest) / temperature))
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [token, weight] of weights.entries()) {
    left -= weight
    if (left < 0) return token
  }
  return best
}
