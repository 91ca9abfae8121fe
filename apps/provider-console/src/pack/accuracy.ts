// SPDX-License-Identifier: Apache-2.0
import { isMlCapsuleError, type Tensor } from '@mlcapsule/contracts'
import { createSession } from '@mlcapsule/inference-kernels'
import { convertElements } from '@mlcapsule/inference-kernels/program'
import { wasmKernels } from '@mlcapsule/inference-kernels/wasm'
import type { Sample } from './calibration.ts'
import type { PackableModel } from './pack-capsule.ts'
import { randomSamples } from './random-samples.ts'

/** How far the answers of two forms of a model are apart. */
export interface Accuracy {
  readonly sampleCount: number
  /** Whether the queries were random, not the provider's own. */
  readonly isRandom: boolean
  /** Largest and root mean square difference of an element of the answers, over the root mean square of the expected ones. */
  readonly largestDifference: number
  readonly rmsDifference: number
  /** Rows of the first output whose largest element is at the same place, where rows have two elements or more. */
  readonly top1: { readonly agreeingCount: number; readonly count: number } | null
}

type Answers = readonly (readonly Tensor[])[]

async function answersOf(
  { program, weights, outputs }: PackableModel,
  samples: readonly Sample[],
): Promise<Answers> {
  const chunks = weights.chunks()[Symbol.asyncIterator]()
  const session = await createSession({
    kernels: wasmKernels,
    program,
    weights: {
      sizeBytes: weights.sizeBytes,
      async readInto(offsetBytes, target) {
        const next = await chunks.next()
        if (next.done || next.value.length !== target.length)
          throw new TypeError(`no chunk at ${offsetBytes}`)
        target.set(next.value)
      },
    },
  })
  try {
    return samples.map((sample) => {
      const answer = session.run(sample)
      return outputs.map(({ name }) => answer.get(name) as Tensor)
    })
  } finally {
    session.dispose()
  }
}

function numbersOf({ dtype, data }: Tensor): Float64Array {
  const numbers = new Float64Array(data.length)
  convertElements(data, dtype, numbers, 'float64')
  return numbers
}

/** Index of the largest element in each row of `length`. */
function bestPlaces(numbers: Float64Array, length: number): readonly number[] {
  return Array.from({ length: numbers.length / length }, (_, row) => {
    const slice = numbers.subarray(row * length, (row + 1) * length)
    return slice.indexOf(slice.reduce((most, it) => Math.max(most, it), Number.NEGATIVE_INFINITY))
  })
}

function compare(actual: Answers, expected: Answers): Omit<Accuracy, 'sampleCount' | 'isRandom'> {
  let [largest, differences, squares, elementCount] = [0, 0, 0, 0]
  let [agreeingCount, rowCount] = [0, 0]
  for (const [i, tensors] of expected.entries()) {
    for (const [j, tensor] of tensors.entries()) {
      const [want, got] = [numbersOf(tensor), numbersOf(actual[i]?.[j] as Tensor)]
      for (const [at, value] of want.entries()) {
        const difference = Math.abs(value - (got[at] ?? Number.NaN))
        largest = Math.max(largest, difference)
        differences += difference * difference
        squares += value * value
        elementCount++
      }
      const length = tensor.shape.at(-1) ?? 1
      if (j > 0 || length < 2) continue
      const best = bestPlaces(got, length)
      for (const [row, place] of bestPlaces(want, length).entries()) {
        if (place === best[row]) agreeingCount++
        rowCount++
      }
    }
  }
  const rms = Math.sqrt(squares / Math.max(elementCount, 1)) || 1
  return {
    largestDifference: largest / rms,
    rmsDifference: Math.sqrt(differences / Math.max(elementCount, 1)) / rms,
    top1: rowCount === 0 ? null : { agreeingCount, count: rowCount },
  }
}

/** @throws KernelError what the engine says to a query that the model does not take */
export async function measureAccuracy(
  model: PackableModel,
  original: PackableModel,
  samples: readonly Sample[],
): Promise<Accuracy> {
  const expected = await answersOf(original, samples)
  const compared = compare(await answersOf(model, samples), expected)
  return { sampleCount: samples.length, isRandom: false, ...compared }
}

/** Windows have to fit into an image: not every model takes dimensions of 1. */
const symbolSizes = [1, 8, 64, 224]
const randomSampleCount = 8

/** The same with random queries, of the first sizes that the model takes; null where it takes none. */
export async function measureRandomAccuracy(
  model: PackableModel,
  original: PackableModel,
): Promise<Accuracy | null> {
  const hasSymbols = model.inputs.some(({ shape }) => shape.some((dim) => typeof dim === 'string'))
  for (const size of hasSymbols ? symbolSizes : [1]) {
    try {
      const samples = randomSamples(model.inputs, randomSampleCount, size)
      return { ...(await measureAccuracy(model, original, samples)), isRandom: true }
    } catch (error) {
      if (!isMlCapsuleError(error)) throw error
    }
  }
  return null
}
