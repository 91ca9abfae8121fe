// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@mlcapsule/model-graph/testing'
import { crossEntropy, decode } from './decoder.ts'
import { gpt, initialParameters, type Parameters, zerosLike } from './network.ts'

/** All that decides how a training run goes; the same values give the same weights. */
export interface TrainingOptions {
  readonly seed: number
  readonly stepCount: number
  /** Passages of the text in each step. */
  readonly batchCount: number
  readonly highestLearningRate: number
}

export const defaultTrainingOptions: TrainingOptions = {
  seed: 20260301,
  stepCount: 1800,
  batchCount: 2,
  highestLearningRate: 0.003,
}

const warmUpCount = 20

/** Rises over the first steps, then falls along a cosine to a twentieth. */
function learningRateAt(step: number, { stepCount, highestLearningRate }: TrainingOptions): number {
  if (step < warmUpCount) return (highestLearningRate * (step + 1)) / warmUpCount
  const done = (step - warmUpCount) / (stepCount - warmUpCount)
  return highestLearningRate * (0.05 + 0.475 * (1 + Math.cos(Math.PI * done)))
}

/** Adam (Kingma and Ba, arXiv:1412.6980), in place. */
function createAdam(parameters: Parameters, gradients: Parameters) {
  const means = zerosLike(parameters)
  const squares = zerosLike(parameters)
  let steps = 0
  return (learningRate: number): void => {
    steps++
    const rate = (learningRate * Math.sqrt(1 - 0.99 ** steps)) / (1 - 0.9 ** steps)
    for (const [name, { values }] of parameters) {
      const gradient = gradients.get(name)?.values as Float32Array
      const mean = means.get(name)?.values as Float32Array
      const square = squares.get(name)?.values as Float32Array
      for (let i = 0; i < values.length; i++) {
        const slope = gradient[i] as number
        mean[i] = 0.9 * (mean[i] as number) + 0.1 * slope
        square[i] = 0.99 * (square[i] as number) + 0.01 * slope * slope
        values[i] =
          (values[i] as number) - (rate * (mean[i] as number)) / (Math.sqrt(square[i] as number) + 1e-8)
        gradient[i] = 0
      }
    }
  }
}

/**
 * Trains a decoder on passages of a text, each of the whole context.
 * @param ids the text as places in the vocabulary
 * @returns the weights after the last step
 */
export function train(
  ids: Uint16Array,
  vocabularySize: number,
  options: TrainingOptions,
  onStep: (step: number, loss: number) => void,
): Parameters {
  const parameters = initialParameters(vocabularySize, options.seed)
  const gradients = zerosLike(parameters)
  const update = createAdam(parameters, gradients)
  const random = seededRandom(options.seed + 1)
  for (let step = 0; step < options.stepCount; step++) {
    let loss = 0
    for (let passage = 0; passage < options.batchCount; passage++) {
      const start = Math.floor(random() * (ids.length - gpt.contextLength))
      const run = decode({ parameters, gradients }, ids.subarray(start, start + gpt.contextLength))
      const cost = crossEntropy(run.output, ids.subarray(start + 1, start + 1 + gpt.contextLength))
      run.back(cost.gradient)
      loss += cost.loss / options.batchCount
    }
    update(learningRateAt(step, options))
    onStep(step + 1, loss)
  }
  return parameters
}
