// SPDX-License-Identifier: Apache-2.0
// Kernels that make tensors from numbers.
import * as tf from '@tensorflow/tfjs-core'
import { fillTensor } from '../copy-box.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

const filledLike = (name: string, value: number) =>
  defineKernel<tf.ZerosLikeInputs>(name, ({ inputs: { x }, backend }) => {
    if (x.dtype === 'string' && value !== 0)
      throw new TypeError(`${name} is not supported for string tensors`)
    const made = backend.make(x.shape, x.dtype)
    fillTensor(backend, made, x.dtype === 'string' ? '' : value)
    return made
  })

const fill = defineKernel<unknown, tf.FillAttrs>(tf.Fill, ({ attrs: { shape, value, dtype }, backend }) => {
  const made = backend.make(shape, dtype || tf.util.inferDtype(value))
  fillTensor(backend, made, value)
  return made
})

const range = defineKernel<unknown, tf.RangeAttrs>(
  tf.Range,
  ({ attrs: { start, stop, step: given, dtype }, backend }) => {
    const step = stop < start && given === 1 ? -1 : given
    const isEmpty = start === stop || start < stop !== step > 0
    const count = isEmpty ? 0 : Math.ceil(Math.abs((stop - start) / step))
    const values = Float64Array.from({ length: count }, (_, i) => start + i * step)
    return backend.makeOf([count], dtype, values)
  },
)

const linSpace = defineKernel<unknown, tf.LinSpaceAttrs>(
  tf.LinSpace,
  ({ attrs: { start, stop, num }, backend }) => {
    const step = (stop - start) / (num - 1)
    const values = Float64Array.from({ length: num }, (_, i) => (i === 0 ? start : start + i * step))
    return backend.makeOf([num], 'float32', values)
  },
)

const oneHot = defineKernel<tf.OneHotInputs, tf.OneHotAttrs>(
  tf.OneHot,
  ({ inputs: { indices }, attrs: { dtype, depth, onValue, offValue }, backend }) => {
    const made = backend.make([...indices.shape, depth], dtype)
    const to = backend.numbers(made).fill(offValue)
    for (const [i, index] of backend.numbers(indices).entries()) {
      if (index >= 0 && index < depth) to[i * depth + index] = onValue
    }
    return made
  },
)

export const makingKernels: readonly TfjsKernel[] = [
  fill,
  filledLike(tf.ZerosLike, 0),
  filledLike(tf.OnesLike, 1),
  range,
  linSpace,
  oneHot,
]
