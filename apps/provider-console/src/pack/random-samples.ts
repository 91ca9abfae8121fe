// SPDX-License-Identifier: Apache-2.0
import { elementCount, seededRandom, type TensorSpec } from '@mlcapsule/contracts'
import { type Sample, sampleTensor } from './calibration.ts'

/**
 * Random queries, the same each time: floats have mean 0 and variance 1, all else is 0 or 1, which any model takes that has
 * two classes, tokens or flags.
 * @param symbolSize of every symbolic dimension
 */
export function randomSamples(
  inputs: readonly TensorSpec[],
  sampleCount: number,
  symbolSize: number,
): readonly Sample[] {
  const random = seededRandom(1)
  return Array.from({ length: sampleCount }, () => {
    const query = inputs.map((spec) => {
      const shape = spec.shape.map((dim) => (typeof dim === 'number' ? dim : symbolSize))
      const isFloat = spec.dtype.startsWith('float')
      const next = () => (isFloat ? (random() * 2 - 1) * Math.sqrt(3) : Math.floor(random() * 2))
      return [
        spec.name,
        sampleTensor(spec, shape, Float64Array.from({ length: elementCount(shape) }, next)),
      ] as const
    })
    return new Map(query)
  })
}
