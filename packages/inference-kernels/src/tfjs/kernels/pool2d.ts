// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { enumNumber } from '../../records/record.ts'
import type { MlcapsuleBackend } from '../backend.ts'
import { countOf } from '../cast.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
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
    input: backend.addressBytes(x),
    output: backend.addressBytes(made),
    ...windowFields(info),
    channels: info.inChannels,
    padBottom: info.padInfo.bottom,
    padRight: info.padInfo.right,
    pool: enumNumber('pool', pool),
    countIncludePad: 0,
  })
  return made
}

export const pool2dKernels: readonly TfjsKernel[] = [
  defineKernel<tf.MaxPoolInputs, tf.MaxPoolAttrs>(tf.MaxPool, ({ inputs: { x }, attrs, backend }) =>
    pool2d(backend, x, infoOf(x, attrs), 'max'),
  ),
  defineKernel<tf.AvgPoolInputs, tf.AvgPoolAttrs>(tf.AvgPool, ({ inputs: { x }, attrs, backend }) =>
    pool2d(backend, x, infoOf(x, attrs), 'average'),
  ),
]
