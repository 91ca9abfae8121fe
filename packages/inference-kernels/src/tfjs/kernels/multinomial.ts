// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { withFloats } from '../cast.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { softmaxAlong } from './along-axis.ts'

/** Numbers in [0, 1) that follow from a seed: Steele, Lea and Flood's SplitMix, with 32 bits. Not for secrets. */
function seededRandom(seed: number): () => number {
  let state = Math.floor(seed * 2 ** 32) | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let bits = state ^ (state >>> 16)
    bits = Math.imul(bits, 0x21f0aaad)
    bits ^= bits >>> 15
    bits = Math.imul(bits, 0x735a2d97)
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32
  }
}

/** Outcomes drawn from the distribution of each row, by going through its cumulative sums. */
const multinomial = defineKernel<tf.MultinomialInputs, tf.MultinomialAttrs>(
  tf.Multinomial,
  ({ inputs: { logits }, attrs: { numSamples, seed, normalized }, backend }) => {
    const probabilities = normalized
      ? backend.share(logits, logits.shape)
      : withFloats(backend, logits, (floats) => softmaxAlong(backend, floats, -1, 'softmax'))
    const [batch, outcomes] = logits.shape as [number, number]
    const made = backend.make([batch, numSamples], 'int32')
    const from = backend.numbers(probabilities)
    const to = backend.numbers(made)
    const random = seededRandom(seed)
    for (let at = 0; at < to.length; at++) {
      const row = Math.floor(at / numSamples) * outcomes
      let left = random()
      let outcome = 0
      while (outcome < outcomes - 1 && left >= (from[row + outcome] as number)) {
        left -= from[row + outcome] as number
        outcome++
      }
      to[at] = outcome
    }
    backend.release(probabilities)
    return made
  },
)

export const multinomialKernels: readonly TfjsKernel[] = [multinomial]
