// SPDX-License-Identifier: Apache-2.0

/**
 * Numbers in [0, 1) that look random and are the same for the same seed: mulberry32. Not for secrets.
 * @param seed its lowest 32 bits count
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
