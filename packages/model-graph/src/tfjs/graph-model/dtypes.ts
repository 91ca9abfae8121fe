// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { ModelError, quote } from '../../errors.ts'

/** TensorFlow's types, by name and by number, as TensorFlow.js holds them: it knows float32, int32 and bool. */
const dtypes: ReadonlyMap<string | number, DType> = new Map<string | number, DType>([
  ['DT_FLOAT', 'float32'],
  [1, 'float32'],
  ['DT_DOUBLE', 'float32'],
  [2, 'float32'],
  ['DT_HALF', 'float32'],
  [19, 'float32'],
  ['DT_INT32', 'int32'],
  [3, 'int32'],
  ['DT_UINT8', 'int32'],
  [4, 'int32'],
  ['DT_INT8', 'int32'],
  [6, 'int32'],
  ['DT_INT64', 'int32'],
  [9, 'int32'],
  ['DT_BOOL', 'bool'],
  [10, 'bool'],
])

/** @throws ModelError `MODEL_DTYPE_UNSUPPORTED` */
export function dtypeNamed(name: unknown, what: string): DType {
  const dtype = typeof name === 'string' || typeof name === 'number' ? dtypes.get(name) : undefined
  if (dtype !== undefined) return dtype
  throw new ModelError('MODEL_DTYPE_UNSUPPORTED', `${what} has elements of type ${quote(String(name))}`)
}
