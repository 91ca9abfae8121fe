// SPDX-License-Identifier: Apache-2.0
// Sizes that depend on data and meet sizes that are fixed: what they are is found out when the model runs.
import type { Tensor } from '@mlcapsule/contracts'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { describe, expect, test } from 'vitest'
import { compileGraph, importOnnx, memoryModelSource } from '../src/index.ts'
import { buildModel, runCompiled, type TestModel } from '../src/testing/index.ts'

const ints = (...values: number[]) => ({ dims: [values.length], data: BigInt64Array.from(values, BigInt) })
const floats = (dims: readonly number[], ...values: number[]) => ({ dims, data: Float32Array.from(values) })

/** x cut down along its first axis to as many rows as the sum of its elements says: nobody can know it beforehand. */
const cut = [
  { op: 'ReduceSum', inputs: ['x', 'all'], outputs: ['sum'], attributes: { keepdims: 0 } },
  { op: 'Cast', inputs: ['sum'], outputs: ['count'], attributes: { to: 7 } },
  { op: 'Reshape', inputs: ['count', 'one'], outputs: ['ends'] },
  { op: 'Slice', inputs: ['x', 'zero', 'ends', 'zero'], outputs: ['part'] },
]

function model(change: Partial<TestModel> & Pick<TestModel, 'nodes'>): TestModel {
  return {
    inputs: { x: ['rows', 2] },
    outputs: { y: null },
    ...change,
    constants: { all: ints(0, 1), one: ints(1), zero: ints(0), ...change.constants },
    nodes: [...cut, ...change.nodes],
  }
}

async function answer(it: TestModel, x: Tensor): Promise<readonly [readonly number[], readonly number[]]> {
  const compiled = await compileGraph(await importOnnx(memoryModelSource(buildModel(it))))
  const [{ shape, data }] = (await runCompiled(compiled, [x], referenceKernels)) as [Tensor]
  return [shape, Array.from(data as ArrayLike<number>)]
}

/** Sums to 1: one row is left. */
const x: Tensor = { dtype: 'float32', shape: [3, 2], data: Float32Array.of(1, 2, -1, -1, 0, 0) }

describe('a size that depends on data', () => {
  test('broadcasts against another size', async () => {
    const add = { op: 'Add', inputs: ['part', 'x'], outputs: ['y'] }
    expect(await answer(model({ nodes: [add] }), x)).toEqual([
      [3, 2],
      [2, 4, 0, 1, 1, 2],
    ])
  })

  test('broadcasts against a size that none of those tried is', async () => {
    const nodes = [
      { op: 'Concat', inputs: ['part', 'more'], outputs: ['c'], attributes: { axis: 0 } },
      { op: 'Add', inputs: ['c', 'w'], outputs: ['y'] },
    ]
    const constants = { more: floats([1, 2], 1, 1), w: { dims: [10, 2], data: new Float32Array(20) } }
    // Sums to 9: nine rows and one are ten.
    const data = new Float32Array(22).fill(9, 0, 1)
    expect(
      (await answer(model({ nodes, constants }), { dtype: 'float32', shape: [11, 2], data }))[0],
    ).toEqual([10, 2])
  })

  test('is taken to be what weights ask for', async () => {
    const nodes = [
      { op: 'Transpose', inputs: ['part'], outputs: ['t'] },
      { op: 'MatMul', inputs: ['t', 'w'], outputs: ['y'] },
    ]
    const weights = { w: floats([1, 3], 1, 10, 100) }
    expect(await answer(model({ nodes, constants: weights }), x)).toEqual([
      [2, 3],
      [1, 10, 100, 2, 20, 200],
    ])
    const two = { w: floats([2, 1], 1, 10) }
    await expect(answer(model({ nodes, constants: two }), x)).rejects.toMatchObject({
      code: 'PROGRAM_INVALID',
    })
  })

  test('is not supported where none that is tried would fit', async () => {
    const nodes = [{ op: 'Reshape', inputs: ['part', 'seven'], outputs: ['y'] }]
    const given = model({ nodes, constants: { seven: ints(7, 91) } })
    await expect(importOnnx(memoryModelSource(buildModel(given)))).rejects.toMatchObject({
      code: 'MODEL_OPERATOR_UNSUPPORTED',
    })
  })

  test('is no number because few of those tried fit', async () => {
    const w = floats([1, 2, 3, 2], ...new Array(12).fill(1))
    const nodes = [
      { op: 'Reshape', inputs: ['x', 'to'], outputs: ['image'] },
      { op: 'ConvTranspose', inputs: ['image', 'w'], outputs: ['y'], attributes: { strides: [1, 2] } },
    ]
    const given: TestModel = {
      inputs: { x: [66], to: [4] },
      inputTypes: { to: 'int64' },
      outputs: { y: null },
      nodes,
      constants: { w },
    }
    const compiled = await compileGraph(await importOnnx(memoryModelSource(buildModel(given))))
    const flat: Tensor = { dtype: 'float32', shape: [66], data: new Float32Array(66).fill(1) }
    const to: Tensor = { dtype: 'int64', shape: [4], data: BigInt64Array.of(-1n, 1n, 2n, 11n) }
    const [{ shape }] = (await runCompiled(compiled, [flat, to], referenceKernels)) as [Tensor]
    expect(shape).toEqual([3, 2, 4, 22])
  })

  test('says nothing about the sizes of others', async () => {
    const nodes = [
      { op: 'Max', inputs: ['part', 'row'], outputs: ['m'] },
      { op: 'Concat', inputs: ['m', 'x'], outputs: ['y'], attributes: { axis: 0 } },
    ]
    const found = await answer(model({ nodes, constants: { row: floats([1, 2], 0, 3) } }), x)
    expect(found).toEqual([
      [4, 2],
      [1, 3, 1, 2, -1, -1, 0, 0],
    ])
  })
})

describe('a size that follows from one that queries choose', () => {
  const query = (rows: number): Tensor => ({
    dtype: 'float32',
    shape: [rows, 2],
    data: Float32Array.from({ length: rows * 2 }, (_, i) => i),
  })

  test('is no number because few sizes are possible', async () => {
    const nodes = [{ op: 'Reshape', inputs: ['x', 'shape'], outputs: ['y'] }]
    const given = {
      inputs: { x: ['rows', 2] },
      outputs: { y: null },
      nodes,
      constants: { shape: ints(-1, 34) },
    }
    for (const rows of [17, 34, 68]) {
      expect((await answer(given, query(rows)))[0]).toEqual([rows / 17, 34])
    }
  })

  test('is no number because it is bounded, and small sizes do not fit', async () => {
    const nodes = [
      { op: 'Slice', inputs: ['x', 'six', 'forty', 'zero'], outputs: ['a'] },
      { op: 'Slice', inputs: ['x', 'three', 'eleven', 'zero'], outputs: ['b'] },
      { op: 'Add', inputs: ['b', 'w'], outputs: ['c'] },
      { op: 'Concat', inputs: ['a', 'c'], outputs: ['y'], attributes: { axis: 0 } },
    ]
    const constants = {
      ...{ six: ints(6), forty: ints(40), three: ints(3), eleven: ints(11), zero: ints(0) },
      w: { dims: [8, 2], data: new Float32Array(16) },
    }
    const given = { inputs: { x: ['rows', 2] }, outputs: { y: null }, nodes, constants }
    for (const rows of [11, 20, 50]) {
      expect((await answer(given, query(rows)))[0]).toEqual([Math.min(rows, 40) - 6 + 8, 2])
    }
  })
})

test('an empty constant is not taken for the one that lies where it would be', async () => {
  const nodes = [
    { op: 'Expand', inputs: ['x', 'none'], outputs: ['y'] },
    { op: 'Expand', inputs: ['x', 'two'], outputs: ['z'] },
  ]
  const given = {
    inputs: { x: [] },
    outputs: { y: null, z: null },
    nodes,
    constants: { none: ints(), two: ints(2) },
  }
  const compiled = await compileGraph(await importOnnx(memoryModelSource(buildModel(given))))
  const query: Tensor = { dtype: 'float32', shape: [], data: Float32Array.of(3) }
  const [y, z] = await runCompiled(compiled, [query], referenceKernels)
  expect([y?.shape, z?.shape]).toEqual([[], [2]])
})

test('empty constants of different types are kept apart', async () => {
  const scalar: TestModel = {
    inputs: { x: [] },
    outputs: { s: null, e: null },
    nodes: [
      { op: 'Shape', inputs: ['x'], outputs: ['s'] },
      { op: 'Equal', inputs: ['s', 's'], outputs: ['e'] },
    ],
  }
  const compiled = await compileGraph(await importOnnx(memoryModelSource(buildModel(scalar))))
  const query: Tensor = { dtype: 'float32', shape: [], data: Float32Array.of(1) }
  expect(await runCompiled(compiled, [query], referenceKernels)).toEqual([
    { dtype: 'int64', shape: [0], data: new BigInt64Array(0) },
    { dtype: 'bool', shape: [0], data: new Uint8Array(0) },
  ])
})
