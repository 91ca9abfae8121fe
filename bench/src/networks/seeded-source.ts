// SPDX-License-Identifier: Apache-2.0

/** xorshift32 (Marsaglia 2003): the same numbers from a seed on every machine. */
export class SeededSource {
  #state: number

  constructor(seed: number) {
    this.#state = Math.imul(seed, 2_654_435_761) >>> 0 || 1
  }

  /** 32 bits. */
  next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state >>> 0
    return this.#state
  }
}

/** Floats of mean 0: the sum of the four bytes of a number, which is near enough to normal for weights. */
export function normalFloats(source: SeededSource, count: number, deviation: number): Float32Array {
  const values = new Float32Array(count)
  // A byte's variance is (256² - 1) / 12.
  const scale = deviation / Math.sqrt((4 * 65_535) / 12)
  for (let i = 0; i < count; i++) {
    const bits = source.next()
    const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24)
    values[i] = (sum - 510) * scale
  }
  return values
}
