// SPDX-License-Identifier: Apache-2.0
// Windows over sizes that are known only when a query comes, from the ONNX file to the results.
import { seededRandom, type Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { memoryModelSource } from '../src/index.ts'
import {
  buildModel,
  randomFloats,
  type TestModel,
  type TestNode,
  type TestTensor,
} from '../src/testing/index.ts'
import { difference, runModel } from './run-model.ts'

const random = seededRandom(7)
const floats = (...dims: number[]): TestTensor => ({
  dims,
  data: randomFloats(
    random,
    dims.reduce((count, dim) => count * dim, 1),
  ),
})
const input = (...shape: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: floats(...shape).data as Float32Array,
})
const tolerance = { relative: 1e-4, absolute: 1e-5 }

/** The one result, which has to be the same whether sizes come with the model or with the query. */
async function same(model: TestModel, x: Tensor): Promise<readonly number[] | undefined> {
  const [y] = await runModel(memoryModelSource(buildModel(model)), [x])
  const fixed = { ...model, inputs: { x: x.shape } }
  const [expected] = await runModel(memoryModelSource(buildModel(fixed)), [x])
  expect(difference(y as Tensor, expected as Tensor, tolerance)).toBeNull()
  return y?.shape
}

describe('a network of unknown height and width', () => {
  const constants = { w: floats(4, 2, 3, 3), b: floats(4), v: floats(4, 3, 2, 2) }
  const scales: TestTensor = { dims: [4], data: Float32Array.of(1, 1, 2, 2) }
  const model: TestModel = {
    inputs: { x: ['n', 2, 'h', 'w'] },
    outputs: { y: null },
    constants: { ...constants, scales },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['c'], attributes: { pads: [1, 1, 1, 1] } },
      { op: 'Relu', inputs: ['c'], outputs: ['r'] },
      { op: 'MaxPool', inputs: ['r'], outputs: ['p'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      { op: 'ConvTranspose', inputs: ['p', 'v'], outputs: ['t'], attributes: { strides: [2, 2] } },
      {
        op: 'AveragePool',
        inputs: ['t'],
        outputs: ['a'],
        attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 },
      },
      { op: 'Resize', inputs: ['a', '', 'scales'], outputs: ['y'], attributes: { mode: 'linear' } },
    ],
  }

  test.each([
    [
      [1, 2, 8, 6],
      [1, 3, 10, 8],
    ],
    [
      [2, 2, 9, 33],
      [2, 3, 10, 34],
    ],
  ])('takes images of %j', async (dims, expected) => {
    expect(await same(model, input(...dims))).toEqual(expected)
  })
})

test('a convolution of a signal of unknown length', async () => {
  const model: TestModel = {
    inputs: { x: [1, 2, 't'] },
    outputs: { y: null },
    constants: { w: floats(3, 2, 4), v: floats(5, 3, 3) },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'], attributes: { strides: [2] } },
      { op: 'Relu', inputs: ['c'], outputs: ['r'] },
      { op: 'Conv', inputs: ['r', 'v'], outputs: ['d'], attributes: { dilations: [2], pads: [2, 2] } },
      { op: 'GlobalMaxPool', inputs: ['d'], outputs: ['y'] },
    ],
  }
  expect(await same(model, input(1, 2, 31))).toEqual([1, 5, 1])
})

/** The one result with weights that come with the query, and with constant ones. */
async function bothWeights(
  op: string,
  x: Tensor,
  weights: TestTensor,
  attributes: TestNode['attributes'] = {},
) {
  const nodes = [{ op, inputs: ['x', 'w', 'b'], outputs: ['y'], attributes }]
  const bias = floats(op === 'Conv' ? (weights.dims[0] as number) : (weights.dims[1] as number))
  const shared = { outputs: { y: null }, nodes }
  const constant = { ...shared, inputs: { x: x.shape }, constants: { w: weights, b: bias } }
  const [expected] = await runModel(memoryModelSource(buildModel(constant)), [x])
  const given = { ...shared, inputs: { x: x.shape, w: weights.dims, b: bias.dims } }
  const tensors = [weights, bias].map(({ dims, data }) => ({ dtype: 'float32', shape: dims, data }) as Tensor)
  const [y] = await runModel(memoryModelSource(buildModel(given)), [x, ...tensors])
  return difference(y as Tensor, expected as Tensor, tolerance)
}

describe('weights that come with a query give what constant ones do', () => {
  test('in a convolution', async () => {
    const attributes = { group: 2, pads: [1, 0, 2, 1], strides: [2, 1], dilations: [1, 2] }
    expect(await bothWeights('Conv', input(2, 4, 7, 8), floats(6, 2, 3, 2), attributes)).toBeNull()
  })

  test.each<[string, Tensor, TestTensor, TestNode['attributes']]>([
    ['images', input(2, 3, 4, 5), floats(3, 4, 3, 2), { strides: [2, 3], pads: [1, 0, 2, 1] }],
    [
      'more elements at the end',
      input(1, 2, 3, 3),
      floats(2, 2, 2, 2),
      { strides: [2, 2], output_padding: [1, 0] },
    ],
    ['a size', input(1, 2, 3, 3), floats(2, 2, 3, 3), { strides: [2, 2], output_shape: [6, 5] }],
    ['a size far behind', input(1, 2, 3, 3), floats(2, 2, 2, 2), { output_shape: [9, 4] }],
    ['padding by itself', input(1, 2, 3, 4), floats(2, 2, 3, 3), { strides: [2, 2], auto_pad: 'SAME_LOWER' }],
    ['signals', input(2, 3, 6), floats(3, 2, 4), { strides: [2], dilations: [2], pads: [1, 2] }],
  ])('in a transposed convolution of %s', async (_name, x, weights, attributes) => {
    expect(await bothWeights('ConvTranspose', x, weights, attributes)).toBeNull()
  })
})
