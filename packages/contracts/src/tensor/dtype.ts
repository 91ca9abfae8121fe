// SPDX-License-Identifier: Apache-2.0

/** Element types, under their usual names. `float16` data is carried as bit patterns in a `Uint16Array`. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'int64'
  | 'int32'
  | 'int8'
  | 'uint8'
  | 'bool'
  | 'int16'
  | 'uint16'
  | 'uint32'
  | 'uint64'

export type TensorData =
  | Float32Array
  | Float64Array
  | Uint16Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Int8Array
  | Uint8Array

interface DTypeInfo {
  readonly sizeBytes: number
  readonly array: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => TensorData
}

const table: Readonly<Record<DType, DTypeInfo>> = {
  float32: { sizeBytes: 4, array: Float32Array },
  float64: { sizeBytes: 8, array: Float64Array },
  float16: { sizeBytes: 2, array: Uint16Array },
  int64: { sizeBytes: 8, array: BigInt64Array },
  int32: { sizeBytes: 4, array: Int32Array },
  int8: { sizeBytes: 1, array: Int8Array },
  uint8: { sizeBytes: 1, array: Uint8Array },
  bool: { sizeBytes: 1, array: Uint8Array },
  int16: { sizeBytes: 2, array: Int16Array },
  uint16: { sizeBytes: 2, array: Uint16Array },
  uint32: { sizeBytes: 4, array: Uint32Array },
  uint64: { sizeBytes: 8, array: BigUint64Array },
}

/** All dtypes, in a fixed order: the index is the dtype's number in binary formats. */
export const dtypes: readonly DType[] = [
  'float32',
  'float64',
  'float16',
  'int64',
  'int32',
  'int8',
  'uint8',
  'bool',
  'int16',
  'uint16',
  'uint32',
  'uint64',
]

/** Size of one element in bytes. */
export function elementSizeBytes(dtype: DType): number {
  return table[dtype].sizeBytes
}

/**
 * The typed array of a dtype over existing bytes, without a copy.
 * @param byteOffset must be a multiple of the element size
 */
export function viewTensorData(
  dtype: DType,
  buffer: ArrayBufferLike,
  byteOffset: number,
  elementCount: number,
): TensorData {
  return new table[dtype].array(buffer, byteOffset, elementCount)
}

/** Whether `data` is the typed array that carries this dtype. */
export function isTensorDataOf(dtype: DType, data: unknown): data is TensorData {
  return data instanceof table[dtype].array
}
