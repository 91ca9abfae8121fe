// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import type { Dim } from '../graph/graph.ts'
import { importOnnx } from '../onnx/import.ts'
import { removeDeadNodes } from '../passes/remove-dead-nodes.ts'
import { memoryModelSource } from '../source/model-source.ts'
import { buildModel, type TestAttribute, type TestModel, type TestTensor } from '../testing/index.ts'

const ints = (...values: number[]): TestTensor => ({
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
})
const integer = (value: number): TestTensor => ({ dims: [], data: BigInt64Array.of(BigInt(value)) })
const floats = (...dims: number[]): TestTensor => ({
  dims,
  data: new Float32Array(dims.reduce((count, dim) => count * dim, 1)),
})

/** A node by its operator, its inputs and its outputs, parted by spaces. */
const node = (
  op: string,
  inputs: string,
  outputs: string,
  attributes: Readonly<Record<string, TestAttribute>> = {},
) => ({ op, inputs: inputs.split(' '), outputs: outputs.split(' '), attributes })

/** The steps that are left, operators by their names, and the dims of `y`. */
async function steps(
  x: readonly (number | string)[],
  nodes: TestModel['nodes'],
  constants: Readonly<Record<string, TestTensor>> = {},
  opset = 17,
): Promise<readonly [readonly string[], readonly Dim[] | undefined]> {
  const model = { inputs: { x }, outputs: { y: null }, constants, nodes, opset }
  const graph = removeDeadNodes(await importOnnx(memoryModelSource(buildModel(model))))
  return [
    graph.nodes.map((it) => (it.op === 'operator' ? it.attributes.operator : it.op)),
    graph.outputs[0]?.value.dims,
  ]
}

describe('shapes that exporters compute', () => {
  const shapeOf = [
    node('Shape', 'x', 's'),
    node('Gather', 's zero', 'n0'),
    node('Unsqueeze', 'n0 axes', 'n'),
    node('Gather', 's one', 't0'),
    node('Unsqueeze', 't0 axes', 't'),
  ]
  const constants = { zero: integer(0), one: integer(1), axes: ints(0), heads: ints(4), rest: ints(-1) }

  test('end as a reshape with the symbols of the input', async () => {
    const nodes = [
      ...shapeOf,
      node('Concat', 'n t heads rest', 'to', { axis: 0 }),
      node('Reshape', 'x to', 'r'),
      node('Transpose', 'r', 'h', { perm: [0, 2, 1, 3] }),
      node('Concat', 'n heads t rest', 'back', { axis: 0 }),
      node('Reshape', 'h back', 'y'),
    ]
    expect(await steps(['batch', 'length', 64], nodes, constants)).toEqual([
      ['reshape', 'transpose'],
      ['batch', 4, 'length', 16],
    ])
  })

  test('end as an expand', async () => {
    const nodes = [...shapeOf, node('Concat', 'n one_', 'to', { axis: 0 }), node('Expand', 'token to', 'y')]
    expect(
      await steps(['batch', 'length'], nodes, { ...constants, one_: ints(1), token: floats(1, 8) }),
    ).toEqual([['expand'], ['batch', 8]])
    const filled = [
      ...shapeOf,
      node('Concat', 'n t', 'to', { axis: 0 }),
      node('ConstantOfShape', 'to', 'y', { value: { dims: [1], data: Float32Array.of(2) } }),
    ]
    expect(await steps(['batch', 'length'], filled, constants)).toEqual([['expand'], ['batch', 'length']])
  })

  test('end as a slice up to a length', async () => {
    const nodes = [...shapeOf, node('Slice', 'table axes t axes', 'y')]
    expect(await steps(['batch', 'length'], nodes, { ...constants, table: floats(1024, 2) })).toEqual([
      ['slice'],
      ['length', 2],
    ])
  })

  test('leave an operator where a dimension has no name', async () => {
    const nodes = [node('Flatten', 'x', 'y', { axis: 2 })]
    expect((await steps(['batch', 'length', 64], nodes))[0]).toEqual(['Flatten'])
    expect((await steps(['batch', 8, 64], nodes))[0]).toEqual(['Flatten'])
    expect(await steps(['batch', 8, 64], [node('Flatten', 'x', 'y', { axis: 1 })])).toEqual([
      ['reshape'],
      ['batch', 512],
    ])
  })

  test('look up rows of a table for positions', async () => {
    const nodes = [
      ...shapeOf,
      node('Range', 'zero t0 one', 'positions'),
      node('Gather', 'table positions', 'y'),
    ]
    expect(await steps(['batch', 'length'], nodes, { ...constants, table: floats(1024, 2) })).toEqual([
      ['Shape', 'Gather', 'Range', 'Gather'],
      ['length', 2],
    ])
  })
})

describe('kernels move float32 where dims are known', () => {
  const constants = {
    one: ints(1),
    two: ints(2),
    last: ints(-1),
    first: integer(0),
    end: ints(2 ** 62),
    pads: ints(0, 1, 0, 1),
    repeats: ints(3, 1),
  }

  test.each<
    [string, readonly (number | string)[], ReturnType<typeof node>, readonly string[], readonly Dim[]]
  >([
    ['the first of a symbolic axis', ['n', 4], node('Gather', 'x first', 'y'), ['slice', 'reshape'], [4]],
    ['all from the second column on', ['n', 4], node('Slice', 'x one end one', 'y'), ['slice'], ['n', 3]],
    ['the first row of a symbolic axis', ['n', 4], node('Slice', 'x first_ one', 'y'), ['slice'], [1, 4]],
    ['a whole axis', ['n', 4], node('Slice', 'x first_ end', 'y'), [], ['n', 4]],
    ['pads of a known axis', ['n', 4], node('Pad', 'x pads', 'y'), ['pad'], ['n', 6]],
    ['repeats of a 1', [1, 'n'], node('Tile', 'x repeats', 'y'), ['expand'], [3, 'n']],
  ])('%s', async (_what, x, only, ops, dims) => {
    expect(await steps(x, [only], { ...constants, first_: ints(0) })).toEqual([ops, dims])
  })

  test.each<[string, readonly (number | string)[], ReturnType<typeof node>, readonly string[]]>([
    ['the last of a symbolic axis', ['n', 4], node('Gather', 'x last', 'y'), ['Gather']],
    ['a symbolic axis without its first', ['n', 4], node('Slice', 'x one end', 'y'), ['Slice']],
    ['what is cut short beyond 1024', ['n'], node('Slice', 'x zero many', 'y'), ['Slice']],
    ['a symbolic axis turned around', ['n'], node('Slice', 'x last least zero last', 'y'), ['Slice']],
    ['pads that repeat', [3, 4], node('Pad', 'x pads', 'y', { mode: 'reflect' }), ['Pad']],
    ['repeats of more than 1', [2, 3], node('Tile', 'x repeats', 'y'), ['Tile']],
  ])('an operator does: %s', async (_what, x, only, ops) => {
    expect(
      (await steps(x, [only], { ...constants, zero: ints(0), least: ints(-(2 ** 62)), many: ints(1024) }))[0],
    ).toEqual(ops)
  })

  test('parts of a known axis are slices', async () => {
    const nodes = [node('Split', 'x', 'a b', { axis: 1 }), node('Concat', 'b a', 'y', { axis: 1 })]
    expect(await steps(['n', 4], nodes)).toEqual([
      ['slice', 'slice', 'concat'],
      ['n', 4],
    ])
  })
})

test('attributes of old operator sets mean what inputs do now', async () => {
  const old = async (x: readonly (number | string)[], only: ReturnType<typeof node>, opset: number) =>
    steps(x, [only], {}, opset)
  expect(await old([4, 5], node('Slice', 'x', 'y', { starts: [1], ends: [-1], axes: [1] }), 9)).toEqual([
    ['slice'],
    [4, 3],
  ])
  expect(await old([4, 1], node('Squeeze', 'x', 'y', { axes: [-1] }), 11)).toEqual([['reshape'], [4]])
  expect(await old([4], node('Unsqueeze', 'x', 'y', { axes: [0] }), 11)).toEqual([['reshape'], [1, 4]])
  expect(await old([4], node('Pad', 'x', 'y', { pads: [1, 0], value: { float: 2 } }), 10)).toEqual([
    ['pad'],
    [5],
  ])
  expect(await old([4], node('TopK', 'x', 'y i', { k: 2 }), 9)).toEqual([['TopK'], [2]])
  expect(await old([4], node('Split', 'x', 'y z', { split: [1, 3] }), 12)).toEqual([['slice'], [1]])
})

test('old forms of integers give no wrong numbers', async () => {
  const nodes = (attributes: Readonly<Record<string, TestAttribute>>) => [
    node('Shape', 'x', 's'),
    node('Pad', 's', 'y', { pads: [1, 0], ...attributes }),
  ]
  expect(await steps([4], nodes({}), {}, 10)).toEqual([[], [2]])
  await expect(steps([4], nodes({ value: { float: 2 } }), {}, 10)).rejects.toMatchObject({
    code: 'MODEL_OPERATOR_UNSUPPORTED',
  })
  const dropout = [node('Shape', 'x', 's'), node('Dropout', 's', 'd y')]
  expect(await steps([4], dropout, {}, 7)).toEqual([[], [1]])
})

test('refuses ranks that depend on sizes', async () => {
  await expect(steps(['n', 1], [node('Squeeze', 'x', 'y')])).rejects.toMatchObject({
    code: 'MODEL_OPERATOR_UNSUPPORTED',
  })
})

describe('constants', () => {
  const elements = async (attributes: Readonly<Record<string, TestAttribute>>) => {
    const nodes = [{ op: 'Constant', inputs: [], outputs: ['y'], attributes }]
    const model = { inputs: { x: [1] }, outputs: { y: null }, nodes }
    const graph = await importOnnx(memoryModelSource(buildModel(model)))
    const { constant, dims } = graph.outputs[0]?.value ?? {}
    return [dims, [...((await constant?.read(0, dims?.length === 0 ? 1 : 2)) ?? [])]]
  }

  test('of 64 bits keep all of them', async () => {
    expect(await elements({ value_int: 2n ** 53n + 1n })).toEqual([[], [2n ** 53n + 1n]])
    expect(await elements({ value_ints: [2n ** 63n - 1n, -(2n ** 53n) - 1n] })).toEqual([
      [2],
      [2n ** 63n - 1n, -(2n ** 53n) - 1n],
    ])
  })

  test('keep the sign of a zero', async () => {
    const scalar = { dims: [1], data: Float32Array.of(-0) }
    const nodes = [node('ConstantOfShape', 'shape', 'y', { value: scalar })]
    const model = { inputs: { x: [1] }, outputs: { y: null }, constants: { shape: ints(2) }, nodes }
    const graph = await importOnnx(memoryModelSource(buildModel(model)))
    expect(await graph.outputs[0]?.value.constant?.read(0, 2)).toEqual(Float32Array.of(-0, -0))
    expect(await elements({ value_float: { float: -0 } })).toEqual([[], [-0]])
  })
})

test('Dropout that trains, as before opset 7 without is_test, is not supported', async () => {
  const dropout = (attributes: Readonly<Record<string, TestAttribute>>, opset: number) =>
    steps([2], [node('Dropout', 'x', 'y', attributes)], {}, opset)
  expect(await dropout({ is_test: 1 }, 6)).toEqual([[], [2]])
  expect(await dropout({}, 7)).toEqual([[], [2]])
  await expect(dropout({}, 6)).rejects.toMatchObject({ code: 'MODEL_OPERATOR_UNSUPPORTED' })
})
