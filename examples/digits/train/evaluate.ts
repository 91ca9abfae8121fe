// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { copyInto } from './augment.ts'
import { classCount, type DigitSet, imagePixelCount } from './dataset.ts'
import { batchShape, forward, type Parameters } from './network.ts'

/** How well a network does on a set it was not trained on. */
export interface Evaluation {
  readonly imageCount: number
  readonly correctCount: number
  /** Mean negative log-likelihood of the right digit, in nats. */
  readonly loss: number
}

const batchCount = 100

/** Runs every image of `set` through the network, unaugmented. */
export function evaluate(parameters: Parameters, set: DigitSet): Evaluation {
  const weights = parameters.map(({ shape, values }) => tf.tensor(values, [...shape]))
  let correctCount = 0
  let lossSum = 0
  for (let from = 0; from < set.count; from += batchCount) {
    const count = Math.min(batchCount, set.count - from)
    const logits = tf.tidy(() => forward(toBatch(set, from, count), weights).dataSync()) as Float32Array
    for (let image = 0; image < count; image++) {
      const scores = logits.subarray(image * classCount, (image + 1) * classCount)
      const label = set.labels[from + image] as number
      const highest = Math.max(...scores)
      if (scores.indexOf(highest) === label) correctCount++
      const partition = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0)
      lossSum += Math.log(partition) + highest - (scores[label] as number)
    }
  }
  tf.dispose(weights)
  return { imageCount: set.count, correctCount, loss: lossSum / set.count }
}

function toBatch(set: DigitSet, from: number, count: number): tf.Tensor4D {
  const values = new Float32Array(count * imagePixelCount)
  for (let image = 0; image < count; image++) {
    const pixelAt = (from + image) * imagePixelCount
    copyInto(
      values.subarray(image * imagePixelCount, (image + 1) * imagePixelCount),
      set.pixels.subarray(pixelAt, pixelAt + imagePixelCount),
    )
  }
  return tf.tensor4d(values, batchShape(count))
}
