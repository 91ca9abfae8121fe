// SPDX-License-Identifier: Apache-2.0
// Which windows the kernels take, and which go to the operators.
import { describe, expect, test } from 'vitest'
import type { Dim } from '../graph/graph.ts'
import { importOnnx } from '../onnx/import.ts'
import { removeDeadNodes } from '../passes/remove-dead-nodes.ts'
import { memoryModelSource } from '../source/model-source.ts'
import { buildModel, type TestAttribute, type TestTensor } from '../testing/index.ts'

const floats = (...dims: number[]): TestTensor => ({
  dims,
  data: new Float32Array(dims.reduce((count, dim) => count * dim, 1)).fill(1),
})
const list = (...values: number[]): TestTensor => ({ dims: [values.length], data: Float32Array.from(values) })
const ints = (...values: number[]): TestTensor => ({
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
})

/** The steps that a node becomes, operators by their names, and the dims of its result. */
async function steps(
  op: string,
  x: readonly (number | string)[],
  constants: Readonly<Record<string, TestTensor>> = {},
  attributes: Readonly<Record<string, TestAttribute>> = {},
  opset = 19,
  outputs: readonly string[] = ['y'],
): Promise<readonly [readonly string[], readonly Dim[] | undefined]> {
  const model = buildModel({
    inputs: { x },
    outputs: Object.fromEntries(outputs.map((name) => [name, null])),
    constants,
    nodes: [{ op, inputs: ['x', ...Object.keys(constants)], outputs, attributes }],
    opset,
  })
  const graph = removeDeadNodes(await importOnnx(memoryModelSource(model)))
  return [
    graph.nodes.map((it) => (it.op === 'operator' ? it.attributes.operator : it.op)),
    graph.outputs[0]?.value.dims,
  ]
}

describe('Conv', () => {
  const w = floats(4, 2, 3, 3)

  test('goes to the kernels, also with sizes that a query brings', async () => {
    expect(await steps('Conv', ['n', 2, 5, 5], { w })).toEqual([['conv2d'], ['n', 4, 3, 3]])
    expect(await steps('Conv', [1, 2, 'h', 'w'], { w }, { pads: [1, 1, 1, 1] })).toEqual([
      ['conv2d'],
      [1, 4, 'h', 'w'],
    ])
    expect(await steps('Conv', [1, 2, 'h', 'w'], { w }, { auto_pad: 'SAME_UPPER' })).toEqual([
      ['conv2d'],
      [1, 4, 'h', 'w'],
    ])
    expect(await steps('Conv', [1, 2, 'h', 5], { w }, { strides: [2, 2] })).toEqual([
      ['conv2d'],
      [1, 4, '?1', 2],
    ])
  })

  test('of a signal goes to them as an image of height 1', async () => {
    const signal = { w: floats(4, 2, 3) }
    expect(await steps('Conv', [1, 2, 9], signal)).toEqual([
      ['reshape', 'conv2d', 'reshape'],
      [1, 4, 7],
    ])
    expect(await steps('Conv', [1, 2, 't'], signal, { strides: [2] })).toEqual([
      ['reshape', 'conv2d', 'Squeeze'],
      [1, 4, '?1'],
    ])
  })

  test('goes to the operator where padding depends on a size, in three dimensions, and where weights come with a query', async () => {
    const same = { auto_pad: 'SAME_UPPER', strides: [2, 2] }
    expect(await steps('Conv', [1, 2, 'h', 5], { w }, same)).toEqual([['Conv'], [1, 4, '?1', 3]])
    expect(await steps('Conv', [1, 2, 5, 5, 5], { w: floats(4, 2, 3, 3, 3) })).toEqual([
      ['Conv'],
      [1, 4, 3, 3, 3],
    ])
    const model = buildModel({
      inputs: { x: [1, 2, 5, 5], w: [4, 2, 3, 3] },
      outputs: { y: null },
      nodes: [{ op: 'Conv', inputs: ['x', 'w'], outputs: ['y'] }],
    })
    const graph = await importOnnx(memoryModelSource(model))
    expect(graph.nodes.map((it) => it.op)).toEqual(['operator'])
  })

  test('goes to the kernels in networks that take no small images', async () => {
    const model = buildModel({
      inputs: { x: [1, 2, 'h', 'w'] },
      outputs: { y: null },
      constants: { w: floats(4, 2, 100, 100), v: floats(3, 4, 1, 1) },
      nodes: [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
        { op: 'Conv', inputs: ['c', 'v'], outputs: ['y'] },
      ],
    })
    const graph = await importOnnx(memoryModelSource(model))
    expect(graph.nodes.map((it) => it.op)).toEqual(['conv2d', 'conv2d'])
    expect(graph.outputs[0]?.value.dims).toEqual([1, 3, '?1', '?2'])
  })

  test('is refused where channels do not fit', async () => {
    await expect(steps('Conv', [1, 3, 5, 5], { w })).rejects.toMatchObject({ code: 'MODEL_SHAPE_MISMATCH' })
  })
})

test('ConvTranspose is a product for the kernels, where weights and sizes are known', async () => {
  const w = floats(2, 3, 2, 2)
  const strides = { strides: [2, 2] }
  expect(await steps('ConvTranspose', ['n', 2, 4, 4], { w }, strides)).toEqual([
    ['conv2d', 'reshape', 'Col2Im'],
    ['n', 3, 8, 8],
  ])
  expect(await steps('ConvTranspose', [1, 2, 4], { w: floats(2, 3, 2), b: floats(3) })).toEqual([
    ['reshape', 'conv2d', 'reshape', 'Col2Im', 'binary'],
    [1, 3, 5],
  ])
  expect(await steps('ConvTranspose', [1, 2, 'h', 4], { w }, strides)).toEqual([
    ['ConvTranspose'],
    [1, 3, '?1', 8],
  ])
  expect((await steps('ConvTranspose', [1, 2, 4, 4], { w }, { group: 2 }))[0]).toEqual(['ConvTranspose'])
})

describe('pools', () => {
  const square = { kernel_shape: [2, 2] }

  test('go to the kernels where they may', async () => {
    expect(await steps('MaxPool', [1, 2, 'h', 4], {}, { ...square, strides: [2, 2] })).toEqual([
      ['pool2d'],
      [1, 2, '?1', 2],
    ])
    expect(await steps('AveragePool', [1, 2, 4], {}, { kernel_shape: [2] })).toEqual([
      ['reshape', 'pool2d', 'reshape'],
      [1, 2, 3],
    ])
    const counted = { ...square, strides: [2, 2], pads: [1, 1, 0, 0], ceil_mode: 1, count_include_pad: 1 }
    expect(await steps('AveragePool', [1, 2, 4, 4], {}, counted)).toEqual([
      ['pad', 'pool2d'],
      [1, 2, 3, 3],
    ])
    expect(await steps('GlobalAveragePool', [1, 2, 4, 4])).toEqual([['pool2d'], [1, 2, 1, 1]])
  })

  test('go to the operators otherwise', async () => {
    const [both, dims] = await steps('MaxPool', [1, 2, 4, 4], {}, square, 19, ['y', 'places'])
    expect([both, dims]).toEqual([['MaxPool'], [1, 2, 3, 3]])
    const hanging = { ...square, strides: [2, 2], ceil_mode: 1 }
    expect((await steps('MaxPool', [1, 2, 'h', 4], {}, hanging))[0]).toEqual(['MaxPool'])
    expect((await steps('MaxPool', [1, 2, 4, 4], {}, { ...square, pads: [2, 0, 0, 0] }))[0]).toEqual([
      'MaxPool',
    ])
    expect((await steps('AveragePool', [1, 2, 4, 4, 4], {}, { kernel_shape: [2, 2, 2] }))[0]).toEqual([
      'AveragePool',
    ])
    expect(await steps('GlobalMaxPool', [1, 2, 'h', 4])).toEqual([['GlobalMaxPool'], [1, 2, 1, 1]])
  })
})

describe('Resize', () => {
  test('of opset 10 and Upsample find elements as early models do', async () => {
    expect(await steps('Resize', [1, 1, 4, 4], { s: list(1, 1, 2, 2) }, {}, 10)).toEqual([
      ['Resize'],
      [1, 1, 8, 8],
    ])
    expect(await steps('Upsample', [1, 1, 4, 4], { s: list(1, 1, 2, 2) }, { mode: 'linear' }, 9)).toEqual([
      ['Resize'],
      [1, 1, 8, 8],
    ])
    expect(await steps('Upsample', [1, 1, 'h', 4], { s: list(1, 1, 2, 2) }, {}, 9)).toEqual([
      ['Resize'],
      [1, 1, '?1', 8],
    ])
    await expect(
      steps('Upsample', [1, 1, 4, 4], { s: list(1, 1, 2, 2) }, { mode: 'bicubic' }, 9),
    ).rejects.toMatchObject({ code: 'MODEL_OPERATOR_UNSUPPORTED' })
  })

  test('takes sizes beside an empty list of scales', async () => {
    const constants = { roi: list(), s: list(), sizes: ints(1, 1, 6, 2) }
    expect(await steps('Resize', [1, 1, 4, 4], constants, {}, 13)).toEqual([['Resize'], [1, 1, 6, 2]])
  })

  test('is refused where test data and runtimes do not agree', async () => {
    const constants = { roi: list(), s: list(1, 1, 0.8, 1) }
    const aligned = { coordinate_transformation_mode: 'align_corners', mode: 'linear' }
    await expect(steps('Resize', [1, 1, 4, 4], constants, aligned)).rejects.toMatchObject({
      code: 'MODEL_OPERATOR_UNSUPPORTED',
    })
    expect((await steps('Resize', [1, 1, 5, 4], constants, aligned))[1]).toEqual([1, 1, 4, 4])
  })
})

test('modes of GridSample have two names', async () => {
  const grid = { grid: floats(1, 3, 3, 2) }
  for (const [opset, mode] of [
    [16, 'bilinear'],
    [16, 'bicubic'],
    [20, 'linear'],
    [20, 'cubic'],
  ] as const) {
    expect(await steps('GridSample', [1, 2, 4, 4], grid, { mode }, opset)).toEqual([
      ['GridSample'],
      [1, 2, 3, 3],
    ])
  }
  await expect(steps('GridSample', [1, 2, 4, 4], grid, { mode: 'area' }, 20)).rejects.toMatchObject({
    code: 'MODEL_OPERATOR_UNSUPPORTED',
  })
})
