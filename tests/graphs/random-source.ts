// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@mlcapsule/contracts'

/** Choices that are the same for the same seed. */
export class RandomSource {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = seededRandom(seed)
  }

  /** An integer in [0, count). */
  below(count: number): number {
    return Math.floor(this.#next() * count)
  }

  /** An integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  chance(probability: number): boolean {
    return this.#next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list]
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const kept = result[i] as T
      result[i] = result[j] as T
      result[j] = kept
    }
    return result
  }

  /** Some of a list, in its order; at least `minimum`. */
  some<T>(list: readonly T[], minimum = 0): T[] {
    const count = this.between(minimum, list.length)
    const chosen = new Set(this.shuffled(list.map((_, i) => i)).slice(0, count))
    return list.filter((_, i) => chosen.has(i))
  }
}
