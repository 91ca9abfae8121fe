// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@mlcapsule/contracts'
import { crossEntropy, decode } from './decoder.ts'
import { gpt, type Parameters, zerosLike } from './network.ts'

/** All that decides how a part of the training goes; the same values give the same weights. */
export interface TrainingPhase {
  readonly seed: number
  /** Where passages begin: anywhere, so that it learns to spell; or with a line, as prompts do. */
  readonly starts: 'anywhere' | 'lines'
  readonly stepCount: number
  /** Passages of the text in each step. */
  readonly batchCount: number
  readonly highestLearningRate: number
}

export const defaultPhases: readonly TrainingPhase[] = [
  { seed: 20260301, starts: 'anywhere', stepCount: 1800, batchCount: 2, highestLearningRate: 0.003 },
  { seed: 20260302, starts: 'lines', stepCount: 400, batchCount: 2, highestLearningRate: 0.002 },
]

const warmUpCount = 20

/** Rises over the first steps, then falls along a cosine to a twentieth. */
function learningRateAt(step: number, { stepCount, highestLearningRate }: TrainingPhase): number {
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

/** Gives passages of a text, each of the whole context and the character after it. */
function passagesOf(ids: Uint16Array, lineBreak: number, { seed, starts }: TrainingPhase) {
  const random = seededRandom(seed + 1)
  const pick = (count: number) => Math.floor(random() * count)
  const size = gpt.contextLength + 1
  if (starts === 'anywhere') {
    return () => {
      const start = pick(ids.length - gpt.contextLength)
      return ids.subarray(start, start + size)
    }
  }
  // After the last line comes the first one again, so that every line is seen as often as any other.
  const twice = Uint16Array.from([...ids, ...ids])
  const lines = [0, ...[...ids.keys()].filter((at) => ids[at] === lineBreak).map((at) => at + 1)].slice(0, -1)
  return () => {
    const start = lines[pick(lines.length)] as number
    return twice.subarray(start, start + size)
  }
}

/**
 * Trains a decoder on passages of a text, in place.
 * @param parameters fresh ones, or those of the phase before
 * @param ids the text as places in the vocabulary
 * @param lineBreak the place of the character that ends a line
 */
export function train(
  parameters: Parameters,
  ids: Uint16Array,
  lineBreak: number,
  phase: TrainingPhase,
  onStep: (step: number, loss: number) => void,
): void {
  const gradients = zerosLike(parameters)
  const update = createAdam(parameters, gradients)
  const nextPassage = passagesOf(ids, lineBreak, phase)
  for (let step = 0; step < phase.stepCount; step++) {
    let loss = 0
    for (let count = 0; count < phase.batchCount; count++) {
      const passage = nextPassage()
      const run = decode({ parameters, gradients }, passage.subarray(0, -1))
      const cost = crossEntropy(run.output, passage.subarray(1))
      run.back(cost.gradient)
      loss += cost.loss / phase.batchCount
    }
    update(learningRateAt(step, phase))
    onStep(step + 1, loss)
  }
}
