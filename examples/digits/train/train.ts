// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { augmentInto } from './augment.ts'
import { classCount, type DigitSet, imagePixelCount, sliceDigitSet } from './dataset.ts'
import { type Evaluation, evaluate } from './evaluate.ts'
import { batchShape, forward, initialParameters, type Parameters } from './network.ts'
import { createRandomStream, shuffle } from './random.ts'

/** Everything that decides how a training run goes; the same values give the same weights. */
export interface TrainingOptions {
  readonly seed: number
  readonly epochCount: number
  readonly batchCount: number
  /** Of the last images of the training file: never trained on, used to choose the best epoch. */
  readonly heldOutCount: number
  readonly highestLearningRate: number
  /** How slowly the averaged weights, which are the ones that are kept, follow the trained ones: 0 to 1. */
  readonly averageDecay: number
}

/** How the committed model was trained. */
export const defaultTrainingOptions: TrainingOptions = {
  seed: 20180801,
  epochCount: 30,
  batchCount: 32,
  heldOutCount: 1000,
  highestLearningRate: 0.002,
  averageDecay: 0.998,
}

/** What one epoch came to. */
export interface EpochReport {
  readonly epoch: number
  /** Mean cross-entropy over the augmented images of this epoch, in nats. */
  readonly trainingLoss: number
  readonly heldOut: Evaluation
  readonly isBest: boolean
  readonly elapsedMs: number
  /** The averaged weights after this epoch. */
  readonly parameters: Parameters
}

/** Adam (Kingma and Ba, arXiv:1412.6980) with a learning rate that can be set between steps. */
class ScheduledAdam extends tf.AdamOptimizer {
  setLearningRate(learningRate: number): void {
    this.learningRate = learningRate
  }
}

/**
 * Trains the network on augmented copies of `set` and reports after each epoch.
 * The learning rate rises over the first epoch, then falls along a cosine to zero.
 */
export function train(
  set: DigitSet,
  options: TrainingOptions,
  onBatch: (epoch: number, trainedCount: number, loss: number) => void,
  onEpoch: (report: EpochReport) => void,
): void {
  const startedMs = performance.now()
  const trainingCount = set.count - options.heldOutCount
  const heldOut = sliceDigitSet(set, trainingCount, set.count)
  const batchesPerEpoch = Math.floor(trainingCount / options.batchCount)
  const stepCount = batchesPerEpoch * options.epochCount

  const initial = initialParameters(options.seed)
  const weights = initial.map(({ shape, values }) => tf.variable(tf.tensor(values, [...shape])))
  const averages = initial.map(({ values }) => Float32Array.from(values))
  const optimizer = new ScheduledAdam(options.highestLearningRate, 0.9, 0.999)
  const shuffling = createRandomStream(options.seed, 'order of the images')
  const bending = createRandomStream(options.seed, 'augmentation')
  const order = Uint32Array.from({ length: trainingCount }, (_, image) => image)
  let step = 0
  let best: Evaluation | undefined

  for (let epoch = 1; epoch <= options.epochCount; epoch++) {
    shuffle(order, shuffling)
    let lossSum = 0
    for (let batch = 0; batch < batchesPerEpoch; batch++, step++) {
      const picked = order.subarray(batch * options.batchCount, (batch + 1) * options.batchCount)
      optimizer.setLearningRate(learningRateAt(step, stepCount, batchesPerEpoch, options.highestLearningRate))
      const loss = tf.tidy(() => {
        const { images, labels } = makeBatch(set, picked, bending)
        const cost = optimizer.minimize(
          () => tf.losses.softmaxCrossEntropy(labels, forward(images, weights)) as tf.Scalar,
          true,
          weights,
        )
        return (cost as tf.Scalar).dataSync()[0] as number
      })
      followWeights(averages, weights, Math.min(options.averageDecay, (step + 1) / (step + 10)))
      lossSum += loss
      onBatch(epoch, (batch + 1) * options.batchCount, lossSum / (batch + 1))
    }

    const parameters = initial.map(({ name, shape }, index) => ({
      name,
      shape,
      values: Float32Array.from(averages[index] as Float32Array),
    }))
    const evaluation = evaluate(parameters, heldOut)
    const isBest = best === undefined || isBetter(evaluation, best)
    if (isBest) best = evaluation
    onEpoch({
      epoch,
      trainingLoss: lossSum / batchesPerEpoch,
      heldOut: evaluation,
      isBest,
      elapsedMs: performance.now() - startedMs,
      parameters,
    })
  }
  tf.dispose(weights)
  optimizer.dispose()
}

function learningRateAt(step: number, stepCount: number, warmUpCount: number, highest: number): number {
  if (step < warmUpCount) return (highest * (step + 1)) / warmUpCount
  return (highest / 2) * (1 + Math.cos((Math.PI * (step - warmUpCount)) / (stepCount - warmUpCount)))
}

function isBetter(candidate: Evaluation, best: Evaluation): boolean {
  if (candidate.correctCount !== best.correctCount) return candidate.correctCount > best.correctCount
  return candidate.loss < best.loss
}

function makeBatch(
  set: DigitSet,
  picked: Uint32Array,
  bending: ReturnType<typeof createRandomStream>,
): { images: tf.Tensor4D; labels: tf.Tensor2D } {
  const values = new Float32Array(picked.length * imagePixelCount)
  const oneHot = new Float32Array(picked.length * classCount)
  picked.forEach((image, slot) => {
    augmentInto(
      values.subarray(slot * imagePixelCount, (slot + 1) * imagePixelCount),
      set.pixels.subarray(image * imagePixelCount, (image + 1) * imagePixelCount),
      bending,
    )
    oneHot[slot * classCount + (set.labels[image] as number)] = 1
  })
  return {
    images: tf.tensor4d(values, batchShape(picked.length)),
    labels: tf.tensor2d(oneHot, [picked.length, classCount]),
  }
}

/** Exponential moving average of the weights over the steps (Polyak and Juditsky, 1992). */
function followWeights(
  averages: readonly Float32Array[],
  weights: readonly tf.Variable[],
  decay: number,
): void {
  averages.forEach((average, index) => {
    const current = (weights[index] as tf.Variable).dataSync()
    for (let at = 0; at < average.length; at++) {
      average[at] = decay * (average[at] as number) + (1 - decay) * (current[at] as number)
    }
  })
}
