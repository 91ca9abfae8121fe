// SPDX-License-Identifier: Apache-2.0

/** A stream of reproducible numbers: the same seed gives the same stream on every machine. */
export interface RandomStream {
  /** Uniform in [0, 1), 32 bits of it. */
  next(): number
  /** Uniform in [low, high). */
  between(low: number, high: number): number
  /** Standard normal (Box-Muller). */
  normal(): number
}

/**
 * Makes a stream from a seed and a purpose, so that one seed drives independent streams.
 * The generator is SFC32 (Chris Doty-Humphrey, PractRand), warmed up for 20 rounds. Not for secrets.
 * @param seed any integer; its low 32 bits count
 * @param purpose which of the seed's streams this is, such as `'shuffle'`
 */
export function createRandomStream(seed: number, purpose: string): RandomStream {
  let a = seed | 0
  let b = hashText(purpose)
  let c = 0x9e3779b9 | 0
  let counter = 1

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }

  for (let round = 0; round < 20; round++) next()
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  }
}

/** Puts `items` in random order, in place (Fisher-Yates). */
export function shuffle(items: Uint32Array, random: RandomStream): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1))
    const kept = items[last] as number
    items[last] = items[other] as number
    items[other] = kept
  }
}

/** FNV-1a over the code units: 32 bits that differ from purpose to purpose. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash
}
