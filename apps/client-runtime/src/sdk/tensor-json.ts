// SPDX-License-Identifier: Apache-2.0
import {
  type DType,
  dtypes,
  elementCount,
  type Tensor,
  type TensorData,
  type TensorSpec,
} from '@mlcapsule/contracts'
import { ClientError } from '../errors.ts'

const maxDepth = 8

/**
 * Tensors from JSON: an object of tensors by name, or for a model with one input the tensor alone. A tensor is nested
 * arrays of numbers, or `{ "shape": [...], "data": [...], "dtype"? }` with the elements in one flat array. The dtype is
 * the model's unless it is given. An int64 beyond 2^53 is written as a string.
 * @throws ClientError `CLIENT_INPUT_INVALID`
 */
export function tensorsFromJson(text: string, specs: readonly TensorSpec[]): ReadonlyMap<string, Tensor> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw invalid('inputs', 'expected JSON')
  }
  const [only] = specs
  const isAlone = specs.length === 1 && only !== undefined && (Array.isArray(json) || isFlatTensor(json))
  const entries = isAlone ? [[only.name, json] as const] : Object.entries(isObject(json) ? json : {})
  if (entries.length === 0) throw invalid('inputs', 'expected an object with a tensor for each input')
  return new Map(
    entries.map(([name, value]) => [
      name,
      toTensor(value, name, specs.find((it) => it.name === name)?.dtype),
    ]),
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isFlatTensor(value: unknown): value is { data: unknown[]; shape: unknown; dtype?: unknown } {
  return isObject(value) && Array.isArray(value.data) && Array.isArray(value.shape)
}

function toTensor(value: unknown, field: string, expected: DType = 'float32'): Tensor {
  if (!isFlatTensor(value)) {
    const shape = nestedShape(value, field)
    return { dtype: expected, shape, data: toData(expected, (value as unknown[]).flat(maxDepth), field) }
  }
  const dtype = dtypes.find((it) => it === (value.dtype ?? expected))
  if (dtype === undefined) throw invalid(field, `dtype: expected one of ${dtypes.join(', ')}`)
  const shape = (value.shape as unknown[]).map((size) => {
    if (Number.isSafeInteger(size) && (size as number) >= 0) return size as number
    throw invalid(field, 'shape: expected whole numbers')
  })
  if (elementCount(shape) !== value.data.length) {
    const detail = `shape [${shape.join(', ')}] has ${elementCount(shape)} elements, data has ${value.data.length}`
    throw invalid(field, detail)
  }
  return { dtype, shape, data: toData(dtype, value.data, field) }
}

function nestedShape(value: unknown, field: string, depth = 0): number[] {
  if (!Array.isArray(value)) {
    if (depth > 0) return []
    throw invalid(field, 'expected nested arrays of numbers, or { "shape", "data" }')
  }
  if (depth === maxDepth) throw invalid(field, `more than ${maxDepth} dimensions`)
  const shapes = value.map((item) => nestedShape(item, field, depth + 1))
  const [first = []] = shapes
  const isEven = shapes.every((it) => it.length === first.length && it.every((size, i) => size === first[i]))
  if (!isEven) throw invalid(field, 'the nested arrays do not all have the same length')
  return [value.length, ...first]
}

function toData(dtype: DType, values: readonly unknown[], field: string): TensorData {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values, (it, i) => number(it, i, field))
    case 'float64':
      return Float64Array.from(values, (it, i) => number(it, i, field))
    case 'float16':
      throw invalid(field, 'float16 has no JSON form here; give an .npy file')
    case 'int64':
      return BigInt64Array.from(values, (it, i) => bigInteger(it, i, field))
    case 'int32':
      return Int32Array.from(values, (it, i) => integer(it, i, field, -2_147_483_648, 2_147_483_647))
    case 'int8':
      return Int8Array.from(values, (it, i) => integer(it, i, field, -128, 127))
    case 'uint8':
      return Uint8Array.from(values, (it, i) => integer(it, i, field, 0, 255))
    case 'bool':
      return Uint8Array.from(values, (it, i) => integer(Number(it), i, field, 0, 1))
    case 'int16':
      return Int16Array.from(values, (it, i) => integer(it, i, field, -32_768, 32_767))
    case 'uint16':
      return Uint16Array.from(values, (it, i) => integer(it, i, field, 0, 65_535))
    case 'uint32':
      return Uint32Array.from(values, (it, i) => integer(it, i, field, 0, 4_294_967_295))
    case 'uint64':
      return BigUint64Array.from(values, (it, i) => bigInteger(it, i, field, false))
  }
}

function number(value: unknown, index: number, field: string): number {
  if (typeof value === 'number') return value
  throw invalid(field, `element ${index}: expected a number`)
}

function integer(value: unknown, index: number, field: string, min: number, max: number): number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
  throw invalid(field, `element ${index}: expected a whole number from ${min} to ${max}`)
}

function bigInteger(value: unknown, index: number, field: string, isSigned = true): bigint {
  const isExact = Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d{1,20}$/.test(value))
  const big = isExact ? BigInt(value as number | string) : undefined
  const wrap = isSigned ? BigInt.asIntN : BigInt.asUintN
  if (big !== undefined && wrap(64, big) === big) return big
  const range = isSigned ? 'a 64-bit integer' : 'an unsigned 64-bit integer'
  throw invalid(field, `element ${index}: expected ${range}, as a string beyond 2^53`)
}

function invalid(field: string, detail: string): ClientError {
  return new ClientError('CLIENT_INPUT_INVALID', `${field}: ${detail}`, { field })
}
