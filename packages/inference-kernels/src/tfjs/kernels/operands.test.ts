// SPDX-License-Identifier: Apache-2.0
// Operands that tfjs-core lets through and that its own tests do not have: other dtypes, shapes that do not fit. What is
// expected was computed with tfjs's own backend `cpu` where it computes it.
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { wasmKernels } from '../../wasm/index.ts'
import { registerMlcapsuleBackend } from '../index.ts'

beforeAll(async () => {
  await registerMlcapsuleBackend({ kernels: wasmKernels })
  await tf.setBackend('mlcapsule')
})
afterAll(() => tf.removeBackend('mlcapsule'))

const integers = (shape: number[], ...values: number[]) => tf.tensor(values, shape, 'int32')
const image = (...values: number[]) => tf.tensor4d(values, [1, 2, 4, 1])
const result = (tensor: tf.Tensor) => ({ dtype: tensor.dtype, data: Array.from(tensor.dataSync()) })

describe('integers', () => {
  const large = 2 ** 24 + 1
  const picture = () => integers([1, 2, 4, 1], -5, 2, large, -1, -3, -4, 3, -1) as tf.Tensor4D

  test('are pooled exactly', () => {
    expect(result(tf.maxPool(picture(), 2, 2, 'valid'))).toEqual({ dtype: 'int32', data: [2, large] })
    const marks = tf.tensor4d([1, 0, 0, 0, 0, 1, 0, 0], [1, 2, 4, 1], 'bool')
    expect(result(tf.maxPool(marks, 2, 2, 'valid'))).toEqual({ dtype: 'bool', data: [1, 0] })
    const { result: most, indexes } = tf.maxPoolWithArgmax(picture(), 2, 2, 'valid')
    expect(result(most as tf.Tensor)).toEqual({ dtype: 'int32', data: [2, large] })
    expect(result(indexes as tf.Tensor)).toEqual({ dtype: 'int32', data: [1, 2] })
  })

  test('are normalized as numbers, and cut off again', () => {
    const x = integers([2, 2], 10, 20, 30, -40)
    const normal = tf.batchNorm2d(
      x as tf.Tensor2D,
      tf.tensor1d([0, 0]),
      tf.tensor1d([4, 4]),
      [0, 0],
      [1, 1],
      0,
    )
    expect(result(normal)).toEqual({ dtype: 'int32', data: [5, 10, 15, -20] })
  })

  test('are multiplied exactly, with a bias, and activated', () => {
    const [a, b] = [integers([1, 2], large, 2), integers([2, 2], 1, -1, 1, 1)] as [tf.Tensor2D, tf.Tensor2D]
    const bias = integers([2], 1, 2)
    expect(result(tf.fused.matMul({ a, b, bias }))).toEqual({ dtype: 'int32', data: [large + 3, 4 - large] })
    const activated = tf.fused.matMul({ a: integers([1, 2], 1, 2), b, bias, activation: 'relu' })
    expect(result(activated)).toEqual({ dtype: 'int32', data: [4, 3] })
    const negative = tf.fused.matMul({ a: integers([1, 2], -9, 2), b, bias, activation: 'relu' })
    expect(result(negative)).toEqual({ dtype: 'int32', data: [0, 13] })
  })

  test('may be slopes of a fused prelu, logits, and parts of complex numbers', () => {
    const product = tf.fused.matMul({
      a: tf.tensor2d([-1, 1], [2, 1]),
      b: tf.tensor2d([2], [1, 1]),
      activation: 'prelu',
      preluActivationWeights: integers([1], 3),
    })
    expect(result(product).data).toEqual([-6, 2])
    const drawn = tf.multinomial(integers([2, 3], 0, 90, 0, 90, 0, 0) as tf.Tensor2D, 4, 7)
    expect(result(drawn).data).toEqual([1, 1, 1, 1, 0, 0, 0, 0])
    const sum = tf.add(tf.complex(integers([1], 1), integers([1], 2)), tf.complex([0.5], [0.25]))
    expect(result(sum)).toEqual({ dtype: 'complex64', data: [1.5, 2.25] })
  })

  test('are what booleans are summed up and multiplied to', () => {
    const marks = tf.tensor1d([1, 1, 0], 'bool')
    expect(result(tf.cumsum(marks))).toEqual({ dtype: 'int32', data: [1, 2, 2] })
    expect(result(tf.cumprod(marks))).toEqual({ dtype: 'int32', data: [1, 1, 0] })
  })
})

describe('a bias', () => {
  const filterOf = (outputs: number) => tf.ones([1, 1, 1, outputs]) as tf.Tensor4D

  test('as long as there are channels lies along the rows where its shape says so', () => {
    const bias = tf.tensor2d([1, 2, 3, 4], [4, 1])
    const x = image(0, 0, 0, 0, 0, 0, 0, 0)
    const row = [1, 2, 3, 4].flatMap((it) => [it, it, it, it])
    const sum = tf.fused.conv2d({ x, filter: filterOf(4), strides: 1, pad: 'same', bias })
    expect(result(sum).data).toEqual([...row, ...row])
  })

  test('or slopes that would widen the result are refused', () => {
    const bias = tf.tensor1d([1, 2, 3, 4])
    const x = image(1, 2, 3, 4, 5, 6, 7, 8)
    expect(() => tf.fused.conv2d({ x, filter: filterOf(1), strides: 1, pad: 'same', bias })).toThrow(
      RangeError,
    )
    const [a, b] = [tf.tensor2d([1, 2], [2, 1]), tf.tensor2d([1], [1, 1])]
    expect(() => tf.fused.matMul({ a, b, bias })).toThrow(RangeError)
    expect(() => tf.batchNorm(x, tf.tensor1d([1, 2]), tf.tensor1d([1, 2]))).toThrow(Error)
  })
})

test.each(['tanh', 'prelu'])(
  'a fused activation that is not there, or lacks its slopes, is refused: %s',
  (name) => {
    const activation = name as 'prelu'
    const [x, filter] = [image(1, 2, 3, 4, 5, 6, 7, 8), tf.tensor4d([1], [1, 1, 1, 1])]
    expect(() => tf.fused.conv2d({ x, filter, strides: 1, pad: 'same', activation })).toThrow(TypeError)
    const [a, b] = [tf.tensor2d([1, 2], [2, 1]), tf.tensor2d([1], [1, 1])]
    expect(() => tf.fused.matMul({ a, b, activation })).toThrow(TypeError)
  },
)

describe('shapes and indices that do not fit are refused', () => {
  test('by transposed convolutions', () => {
    const filter = tf.ones([3, 3, 1, 1]) as tf.Tensor4D
    const dy = tf.ones([1, 2, 2, 1]) as tf.Tensor4D
    expect(() => tf.conv2dTranspose(dy, filter, [1, 10, 10, 1], 1, 'same')).toThrow(RangeError)
    expect(() => tf.conv2dTranspose(dy, filter, [3, 4, 4, 1], 2, 'same')).toThrow(RangeError)
    const volume = tf.ones([1, 2, 2, 2, 1]) as tf.Tensor5D
    const cube = tf.ones([2, 2, 2, 1, 1]) as tf.Tensor5D
    expect(() => tf.conv3dTranspose(volume, cube, [1, 9, 9, 9, 1], 2, 'same')).toThrow(RangeError)
  })

  test('by segments', () => {
    const x = tf.ones([3, 2])
    expect(() => tf.unsortedSegmentSum(x, tf.tensor1d([0, 1], 'int32'), 2)).toThrow(RangeError)
    expect(() => tf.unsortedSegmentSum(x, tf.tensor1d([0, 1, 0, 1], 'int32'), 2)).toThrow(RangeError)
  })

  test.each([[[0, 4]], [[1, -1]], [[2, 0]]])('by scatters: %j', (index) => {
    const place = tf.tensor2d([index], [1, 2], 'int32')
    expect(() => tf.scatterND(place, tf.tensor1d([7]), [2, 3])).toThrow(RangeError)
    expect(() => tf.sparseToDense(place, tf.tensor1d([7]), [2, 3])).toThrow(RangeError)
  })
})

test('texts are told apart where one ends, too', () => {
  const { values, indices } = tf.unique(
    tf.tensor2d([
      ['ab', 'c'],
      ['a', 'bc'],
    ]),
    0,
  )
  expect(Array.from(values.dataSync() as unknown as string[])).toEqual(['ab', 'c', 'a', 'bc'])
  expect(Array.from(indices.dataSync())).toEqual([0, 1])
})
