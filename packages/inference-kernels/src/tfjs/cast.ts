// SPDX-License-Identifier: Apache-2.0
import { type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from './backend.ts'
import type { NumberDType } from './tensor-memory.ts'

/** A tensor of another dtype. What is not zero, NaN too, is true. */
export function castTensor(backend: MlcapsuleBackend, x: TensorInfo, dtype: DataType): TensorInfo {
  if (x.dtype === dtype) return backend.share(x, x.shape)
  if (x.dtype === 'complex64') return castTensor(backend, backend.parts(x)[0], dtype)
  if (dtype === 'complex64') {
    const real = castTensor(backend, x, 'float32')
    // The parts of a complex tensor are nobody else's.
    const own = backend.makeOf(x.shape, 'float32', backend.numbers(real))
    backend.release(real)
    return backend.makeComplex(own, zeros(backend, x.shape))
  }
  if (x.dtype === 'string' || dtype === 'string') {
    throw new TypeError(`Error in Cast: failed to cast ${x.dtype} to ${dtype}`)
  }
  const made = backend.make(x.shape, dtype)
  const from = backend.numbers(x)
  const to = backend.numbers(made)
  if (dtype !== 'bool') to.set(from)
  else for (let i = 0; i < to.length; i++) to[i] = from[i] === 0 ? 0 : 1
  return made
}

export function zeros(backend: MlcapsuleBackend, shape: readonly number[], dtype: NumberDType = 'float32') {
  const made = backend.make(shape, dtype)
  backend.numbers(made).fill(0)
  return made
}

/** The tensor as float32 while `use` runs. */
export function withFloats<T>(backend: MlcapsuleBackend, x: TensorInfo, use: (floats: TensorInfo) => T): T {
  const floats = castTensor(backend, x, 'float32')
  const answer = use(floats)
  backend.release(floats)
  return answer
}

export const countOf = ({ shape }: TensorInfo): number => util.sizeFromShape(shape)
