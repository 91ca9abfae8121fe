// SPDX-License-Identifier: Apache-2.0
import {
  elementCount,
  elementSizeBytes,
  type Tensor,
  type TensorSpec,
  viewTensorData,
} from '@mlcapsule/contracts'
import { convertElements } from '@mlcapsule/inference-kernels/program'
import { ProviderError } from '../errors.ts'
import { readTextFile } from '../files/files.ts'

/** Inputs of one query by name. */
export type Sample = ReadonlyMap<string, Tensor>

const fileMaxSizeBytes = 268_435_456
const sampleMaxCount = 1024
const maxRank = 8

const invalid = (detail: string) =>
  new ProviderError('PROVIDER_CALIBRATION_INVALID', detail, { field: 'calibration' })

/** A tensor of the input's dtype. */
export function sampleTensor({ dtype }: TensorSpec, shape: readonly number[], numbers: Float64Array): Tensor {
  const { length } = numbers
  const data = viewTensorData(dtype, new ArrayBuffer(length * elementSizeBytes(dtype)), 0, length)
  convertElements(numbers, 'float64', data, dtype)
  return { dtype, shape, data }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `{ "shape", "data" }`: a tensor in one flat array. */
const isFlat = (value: unknown): value is { readonly shape: unknown[]; readonly data: unknown[] } =>
  isObject(value) && Array.isArray(value.shape) && Array.isArray(value.data)

function nestedShape(value: unknown, where: string, depth = 0): readonly number[] {
  if (!Array.isArray(value)) return []
  if (depth === maxRank) throw invalid(`${where} has more than ${maxRank} dimensions`)
  const shapes = value.map((item) => nestedShape(item, where, depth + 1).join())
  if (shapes.some((shape) => shape !== shapes[0])) throw invalid(`${where}: nested arrays differ in length`)
  return [value.length, ...nestedShape(value[0], where, depth + 1)]
}

function tensorFrom(value: unknown, spec: TensorSpec, where: string): Tensor {
  if (!isFlat(value) && !Array.isArray(value))
    throw invalid(`${where} is neither arrays nor { "shape", "data" }`)
  const shape = isFlat(value) ? value.shape : nestedShape(value, where)
  const isShape = (dims: readonly unknown[]): dims is readonly number[] =>
    dims.length <= maxRank && dims.every((dim) => Number.isSafeInteger(dim) && (dim as number) >= 0)
  if (!isShape(shape)) throw invalid(`${where}: the shape is not a list of up to ${maxRank} sizes`)
  const numbers: readonly unknown[] = isFlat(value) ? value.data : value.flat(maxRank)
  if (!numbers.every((it) => typeof it === 'number'))
    throw invalid(`${where} has something that is no number`)
  if (elementCount(shape) !== numbers.length) throw invalid(`${where}: the shape is not that of the data`)
  return sampleTensor(spec, shape, Float64Array.from(numbers as readonly number[]))
}

function queryFrom(json: unknown, inputs: readonly TensorSpec[], i: number): Sample {
  const [only] = inputs
  const isAlone = inputs.length === 1 && only !== undefined && (isFlat(json) || Array.isArray(json))
  const query = isAlone ? { [only.name]: json } : json
  if (!isObject(query)) throw invalid(`query ${i} is no object with a tensor for each input`)
  const stray = Object.keys(query).find((name) => !inputs.some((it) => it.name === name))
  if (stray !== undefined) throw invalid(`query ${i} has ${JSON.stringify(stray)}, which is no input`)
  return new Map(
    inputs.map((spec) => {
      if (!Object.hasOwn(query, spec.name)) throw invalid(`query ${i} lacks ${JSON.stringify(spec.name)}`)
      const where = `query ${i}, ${JSON.stringify(spec.name)}`
      return [spec.name, tensorFrom(query[spec.name], spec, where)] as const
    }),
  )
}

/**
 * Sample queries from JSON: one query in the form that `mlcapsule run` takes, or a list of such objects. A query is an object
 * with a tensor for each input, or for a model with one input the tensor alone; a tensor is nested arrays of numbers, or
 * `{ "shape": [...], "data": [...] }`.
 * @throws ProviderError `PROVIDER_CALIBRATION_INVALID`
 */
export function parseCalibration(text: string, inputs: readonly TensorSpec[]): readonly Sample[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw invalid('expected JSON')
  }
  const queries: readonly unknown[] = Array.isArray(json) && json.every(isObject) ? json : [json]
  if (queries.length === 0 || queries.length > sampleMaxCount) {
    throw invalid(`expected 1 to ${sampleMaxCount} queries, got ${queries.length}`)
  }
  return queries.map((query, i) => queryFrom(query, inputs, i))
}

/** @throws ProviderError `PROVIDER_CALIBRATION_INVALID`, `PROVIDER_FILE_UNREADABLE`, `PROVIDER_FILE_INVALID` */
export async function readCalibration(
  path: string,
  inputs: readonly TensorSpec[],
): Promise<readonly Sample[]> {
  return parseCalibration(await readTextFile(path, fileMaxSizeBytes), inputs)
}
