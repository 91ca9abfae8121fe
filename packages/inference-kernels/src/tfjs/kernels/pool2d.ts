// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { enumNumber } from '../../records/record.ts'
import type { MlcapsuleBackend } from '../backend.ts'
import { countOf } from '../cast.ts'
import { mapTensor } from '../elementwise.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { largestTaps, windowsOfImage } from '../taps.ts'
import type { NumberDType } from '../tensor-memory.ts'
import { windowFields } from '../window-fields.ts'

function infoOf(x: tf.TensorInfo, { filterSize, strides, pad, dimRoundingMode }: tf.MaxPoolAttrs) {
  const shape = x.shape as [number, number, number, number]
  return tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode)
}

function pool2d(
  backend: MlcapsuleBackend,
  x: tf.TensorInfo,
  info: tf.backend_util.Conv2DInfo,
  pool: 'max' | 'average',
): tf.TensorInfo {
  const made = backend.make(info.outShape, 'float32')
  if (countOf(made) === 0) return made
  backend.memoryOfTensors.run('pool2d', {
    input: backend.floatAddressBytes(x),
    output: backend.floatAddressBytes(made),
    ...windowFields(info),
    channels: info.inChannels,
    padBottom: info.padInfo.bottom,
    padRight: info.padInfo.right,
    pool: enumNumber('pool', pool),
    countIncludePad: 0,
  })
  return made
}

/** As tfjs has it, windows of one pixel that leave the shape alone leave the image alone, whatever the padding. */
const isIdentity = ({ filterHeight, filterWidth, inShape, outShape }: tf.backend_util.Conv2DInfo) =>
  filterHeight === 1 && filterWidth === 1 && tf.util.arraysEqual(inShape, outShape)

function hasNaN(backend: MlcapsuleBackend, x: tf.TensorInfo): boolean {
  const numbers = backend.numbers(x)
  for (let i = 0; i < numbers.length; i++) if (Number.isNaN(numbers[i])) return true
  return false
}

/** Of integers, which the record does not compute with. */
function maxOfIntegers(backend: MlcapsuleBackend, x: tf.TensorInfo, info: tf.backend_util.Conv2DInfo) {
  const from = backend.numbers(x)
  const { values } = largestTaps(windowsOfImage(info), (element) => from[element] as number)
  return backend.makeOf(info.outShape, x.dtype as NumberDType, values)
}

/** tfjs takes the largest number and looks past NaN; the kernels give NaN. */
function maxPastNaN(
  backend: MlcapsuleBackend,
  x: tf.TensorInfo,
  info: tf.backend_util.Conv2DInfo,
): tf.TensorInfo {
  const made = pool2d(backend, x, info, 'max')
  if (!hasNaN(backend, made)) return made
  backend.release(made)
  const numbers = mapTensor(backend, x, (value) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value))
  const again = pool2d(backend, numbers, info, 'max')
  backend.release(numbers)
  return again
}

export const pool2dKernels: readonly TfjsKernel[] = [
  defineKernel<tf.MaxPoolInputs, tf.MaxPoolAttrs>(tf.MaxPool, ({ inputs: { x }, attrs, backend }) => {
    const info = infoOf(x, attrs)
    if (isIdentity(info)) return backend.share(x, x.shape)
    return x.dtype === 'float32' ? maxPastNaN(backend, x, info) : maxOfIntegers(backend, x, info)
  }),
  defineKernel<tf.AvgPoolInputs, tf.AvgPoolAttrs>(tf.AvgPool, ({ inputs: { x }, attrs, backend }) => {
    const info = infoOf(x, attrs)
    return isIdentity(info) ? backend.share(x, x.shape) : pool2d(backend, x, info, 'average')
  }),
]
