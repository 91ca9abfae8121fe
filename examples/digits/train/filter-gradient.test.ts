// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, test } from 'vitest'
import { startBackend } from './backend.ts'
import { installFilterGradient } from './filter-gradient.ts'

beforeAll(startBackend)

test.each([
  { name: 'no padding', stride: 1, pad: 'valid' as const },
  { name: 'padding', stride: 1, pad: 'same' as const },
  { name: 'padding and stride 2', stride: 2, pad: 'same' as const },
])('agrees with the gradient that TensorFlow.js comes with: $name', ({ stride, pad }) => {
  const input = tf.relu(tf.randomNormal([2, 9, 8, 3], 0, 1, 'float32', 1)) as tf.Tensor4D
  const filter = tf.randomNormal([3, 3, 3, 4], 0, 1, 'float32', 2) as tf.Tensor4D
  const gradient = (): Float32Array => {
    const cost = (weight: tf.Tensor): tf.Tensor =>
      tf.sum(tf.square(tf.conv2d(input, weight as tf.Tensor4D, stride, pad)))
    return tf.grad(cost)(filter).dataSync() as Float32Array
  }
  const original = tf.getKernel(tf.Conv2DBackpropFilter, 'cpu')
  const expected = gradient()
  installFilterGradient()
  expect(tf.getKernel(tf.Conv2DBackpropFilter, 'cpu').kernelFunc).not.toBe(original.kernelFunc)
  const actual = gradient()
  // The kernel is global: the next case needs the one that was there before.
  tf.unregisterKernel(tf.Conv2DBackpropFilter, 'cpu')
  tf.registerKernel(original)
  expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1)
  actual.forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index] as number, 3)
  })
})
