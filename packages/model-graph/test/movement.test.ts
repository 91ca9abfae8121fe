// SPDX-License-Identifier: Apache-2.0
// Movement whose dims are known only when a query comes, from the ONNX file to the results.
import type { Tensor } from '@mlcapsule/contracts'
import { describe, expect, test } from 'vitest'
import { memoryModelSource } from '../src/index.ts'
import { buildModel, type TestModel, type TestTensor } from '../src/testing/index.ts'
import { runModel } from './run-model.ts'

const ints = (...values: number[]): TestTensor => ({
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
})
const integer = (value: number): TestTensor => ({ dims: [], data: BigInt64Array.of(BigInt(value)) })
const counting = (...shape: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from({ length: shape.reduce((count, dim) => count * dim, 1) }, (_, i) => i),
})

async function run(model: TestModel, ...inputs: Tensor[]): Promise<readonly [readonly number[], number[]]> {
  const [y] = await runModel(memoryModelSource(buildModel(model)), inputs)
  return [y?.shape ?? [], Array.from(y?.data as Float32Array, Number)]
}

describe('a cache that grows from nothing', () => {
  const model: TestModel = {
    inputs: { past: [1, 'past', 2], x: [1, 'now', 2] },
    outputs: { y: null },
    nodes: [{ op: 'Concat', inputs: ['past', 'x'], outputs: ['y'], attributes: { axis: 1 } }],
  }

  test.each([0, 1, 3])('with %d before', async (count) => {
    const [dims, elements] = await run(model, counting(1, count, 2), counting(1, 1, 2))
    expect(dims).toEqual([1, count + 1, 2])
    expect(elements).toEqual([...Array.from({ length: 2 * count }, (_, i) => i), 0, 1])
  })
})

test.each([
  ['Max', 1, 0],
  ['Min', 1024, 2000],
])(
  'as many rows as the %s of a size and %d says are refused where that is not the size',
  async (op, bound, n) => {
    const model: TestModel = {
      inputs: { x: ['n'], row: [1] },
      outputs: { y: null },
      constants: { bound: ints(bound) },
      nodes: [
        { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
        { op, inputs: ['shape', 'bound'], outputs: ['count'] },
        { op: 'Expand', inputs: ['row', 'count'], outputs: ['y'] },
      ],
    }
    const row: Tensor = { dtype: 'float32', shape: [1], data: Float32Array.of(7) }
    expect(await run(model, counting(3), row)).toEqual([[3], [7, 7, 7]])
    await expect(run(model, counting(n), row)).rejects.toMatchObject({ code: 'PROGRAM_INVALID' })
  },
)

test('the last of a symbolic axis', async () => {
  const model: TestModel = {
    inputs: { x: [1, 'n', 2] },
    outputs: { y: null },
    constants: { last: integer(-1) },
    nodes: [{ op: 'Gather', inputs: ['x', 'last'], outputs: ['y'], attributes: { axis: 1 } }],
  }
  expect(await run(model, counting(1, 3, 2))).toEqual([
    [1, 2],
    [4, 5],
  ])
})

test('a slice that is cut short beyond what import tries', async () => {
  const model: TestModel = {
    inputs: { x: ['n'] },
    outputs: { y: null },
    constants: { zero: ints(0), many: ints(1024) },
    nodes: [{ op: 'Slice', inputs: ['x', 'zero', 'many'], outputs: ['y'] }],
  }
  expect((await run(model, counting(7)))[0]).toEqual([7])
  await expect(run(model, counting(2000))).rejects.toMatchObject({ code: 'PROGRAM_INVALID' })
})

test('elements that are not zero are chosen, reversed and tiled', async () => {
  const model: TestModel = {
    inputs: { x: ['n'] },
    outputs: { y: null },
    constants: { last: ints(-1), least: ints(-(2 ** 62)), zero: ints(0), twice: ints(1, 2), flat: ints(-1) },
    nodes: [
      { op: 'NonZero', inputs: ['x'], outputs: ['places'] },
      { op: 'Reshape', inputs: ['places', 'flat'], outputs: ['indices'] },
      { op: 'Gather', inputs: ['x', 'indices'], outputs: ['chosen'] },
      { op: 'Slice', inputs: ['chosen', 'last', 'least', 'zero', 'last'], outputs: ['reversed'] },
      { op: 'Unsqueeze', inputs: ['reversed', 'zero'], outputs: ['row'] },
      { op: 'Tile', inputs: ['row', 'twice'], outputs: ['y'] },
    ],
  }
  expect(await run(model, { dtype: 'float32', shape: [4], data: Float32Array.of(5, 0, 6, 7) })).toEqual([
    [1, 6],
    [7, 6, 5, 7, 6, 5],
  ])
  expect(await run(model, { dtype: 'float32', shape: [2], data: Float32Array.of(0, 0) })).toEqual([
    [1, 0],
    [],
  ])
})

test('rows of a table by positions, as many as there are tokens', async () => {
  const model: TestModel = {
    inputs: { x: [1, 'n', 2] },
    outputs: { y: null },
    constants: {
      zero: integer(0),
      one: integer(1),
      table: { dims: [5, 2], data: Float32Array.from({ length: 10 }, (_, i) => 10 * i) },
    },
    nodes: [
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Gather', inputs: ['shape', 'one'], outputs: ['n'] },
      { op: 'Range', inputs: ['zero', 'n', 'one'], outputs: ['positions'] },
      { op: 'Gather', inputs: ['table', 'positions'], outputs: ['rows'] },
      { op: 'Add', inputs: ['x', 'rows'], outputs: ['y'] },
    ],
  }
  expect(await run(model, counting(1, 2, 2))).toEqual([
    [1, 2, 2],
    [0, 11, 22, 33],
  ])
  await expect(run(model, counting(1, 6, 2))).rejects.toMatchObject({ code: 'KERNEL_VALUE_INVALID' })
})
