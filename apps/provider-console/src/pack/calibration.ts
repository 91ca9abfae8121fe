// SPDX-License-Identifier: Apache-2.0
import {
  elementCount,
  elementSizeBytes,
  type Tensor,
  type TensorSpec,
  viewTensorData,
} from '@mlcapsule/contracts'
import { convertElements } from '@mlcapsule/inference-kernels/program'
import { z } from 'zod'
import { ProviderError } from '../errors.ts'
import { readTextFile } from '../files/files.ts'

/** Inputs of one query by name. */
export type Sample = ReadonlyMap<string, Tensor>

const fileMaxSizeBytes = 268_435_456
const sampleMaxCount = 1024

const tensorSchema = z.strictObject({
  shape: z.array(z.int().nonnegative()).max(8),
  data: z.array(z.number()),
})
const samplesSchema = z.array(z.record(z.string(), tensorSchema)).min(1).max(sampleMaxCount)

const invalid = (detail: string) =>
  new ProviderError('PROVIDER_CALIBRATION_INVALID', detail, { field: 'calibration' })

function tensorOf({ dtype }: TensorSpec, shape: readonly number[], numbers: Float64Array): Tensor {
  const data = viewTensorData(
    dtype,
    new ArrayBuffer(numbers.length * elementSizeBytes(dtype)),
    0,
    numbers.length,
  )
  convertElements(numbers, 'float64', data, dtype)
  return { dtype, shape, data }
}

/**
 * Samples from JSON: a list of queries, or one alone; a query has for each input `{ "shape": [...], "data": [...] }`.
 * @throws ProviderError `PROVIDER_CALIBRATION_INVALID`
 */
export function parseCalibration(text: string, inputs: readonly TensorSpec[]): readonly Sample[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw invalid('expected JSON')
  }
  const parsed = samplesSchema.safeParse(Array.isArray(json) ? json : [json])
  if (!parsed.success) {
    throw invalid('expected a list of queries, each with { "shape", "data" } for every input')
  }
  return parsed.data.map((query, i) => {
    const stray = Object.keys(query).find((name) => !inputs.some((it) => it.name === name))
    if (stray !== undefined) throw invalid(`query ${i} has ${JSON.stringify(stray)}, which is no input`)
    return new Map(
      inputs.map((spec) => {
        const given = Object.hasOwn(query, spec.name) ? query[spec.name] : undefined
        if (given === undefined) throw invalid(`query ${i} lacks the input ${JSON.stringify(spec.name)}`)
        if (elementCount(given.shape) !== given.data.length) {
          throw invalid(`query ${i}: the shape of ${JSON.stringify(spec.name)} is not that of its data`)
        }
        return [spec.name, tensorOf(spec, given.shape, Float64Array.from(given.data))]
      }),
    )
  })
}

/** @throws ProviderError `PROVIDER_CALIBRATION_INVALID`, `PROVIDER_FILE_UNREADABLE`, `PROVIDER_FILE_INVALID` */
export async function readCalibration(
  path: string,
  inputs: readonly TensorSpec[],
): Promise<readonly Sample[]> {
  return parseCalibration(await readTextFile(path, fileMaxSizeBytes), inputs)
}

/** Numbers in [0, 1) that a seed repeats: mulberry32. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

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
        tensorOf(spec, shape, Float64Array.from({ length: elementCount(shape) }, next)),
      ] as const
    })
    return new Map(query)
  })
}
