// SPDX-License-Identifier: Apache-2.0

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
