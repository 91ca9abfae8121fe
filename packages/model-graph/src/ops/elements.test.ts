// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { importOnnx } from '../onnx/import.ts'
import { memoryModelSource } from '../source/model-source.ts'
import { buildModel, type TestModel, type TestNode, type TestTensor } from '../testing/index.ts'

const load = (model: TestModel) => importOnnx(memoryModelSource(buildModel(model)))
const floats = (dims: readonly number[], ...data: number[]): TestTensor => ({
  dims,
  data: Float32Array.from(data),
})
const ints = (...values: number[]): TestTensor => ({
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
})

/** One node that reads x, and whatever constants are given. */
const single = (
  dims: readonly (number | string)[],
  node: Omit<TestNode, 'inputs' | 'outputs'>,
  constants: Readonly<Record<string, TestTensor>> = {},
  opset = 18,
): TestModel => ({
  opset,
  inputs: { x: dims },
  outputs: { y: null },
  constants,
  nodes: [{ ...node, inputs: ['x', ...Object.keys(constants)], outputs: ['y'] }],
})

/** Operations, with the engine's operators by their names. */
const operationsOf = (graph: Graph) =>
  graph.nodes.map((node) => (node.op === 'operator' ? node.attributes.operator : node.op))
const dimsOf = (graph: Graph) => graph.outputs[0]?.value.dims

async function elementsOf(graph: Graph): Promise<unknown> {
  const { constant } = graph.outputs[0]?.value ?? {}
  return constant == null
    ? null
    : [
        ...(await constant.read(
          0,
          constant.dims.reduce((a, b) => a * b, 1),
        )),
      ]
}

describe('kernels in C', () => {
  test.each([
    [{ op: 'Sqrt' }, ['unary']],
    [{ op: 'Softmax' }, ['softmax']],
    [{ op: 'Clip' }, ['unary']],
    [{ op: 'Mish' }, ['unary', 'unary', 'binary']],
    [{ op: 'Celu', attributes: { alpha: { float: 2 } } }, ['binary', 'unary', 'binary']],
    [{ op: 'ReduceMax' }, ['ReduceMax']],
    [{ op: 'Sin' }, ['Sin']],
  ])('%o is %o', async (node, operations) => {
    expect(operationsOf(await load(single([2, 3], node)))).toEqual(operations)
  })

  test('do not take what is empty', async () => {
    const graph = await load(single([2], { op: 'Add' }, { none: floats([0, 1]) }))
    expect(operationsOf(graph)).toEqual(['Add'])
    expect(dimsOf(graph)).toEqual([0, 2])
  })
})

describe('what is known at import', () => {
  test('is computed: floats of a shape too', async () => {
    const graph = await load({
      inputs: { x: ['n', 6] },
      outputs: { y: null },
      constants: { half: floats([1], 0.5), one: ints(1) },
      nodes: [
        { op: 'Shape', inputs: ['x'], outputs: ['s'] },
        { op: 'Cast', inputs: ['s'], outputs: ['f'], attributes: { to: 1 } },
        { op: 'Mul', inputs: ['f', 'half'], outputs: ['h'] },
        { op: 'Floor', inputs: ['h'], outputs: ['g'] },
        { op: 'Cast', inputs: ['g'], outputs: ['i'], attributes: { to: 7 } },
        { op: 'ReduceProd', inputs: ['i'], outputs: ['p'], attributes: { keepdims: 0 } },
        { op: 'Reshape', inputs: ['x', 's'], outputs: ['y'] },
      ],
    })
    expect(operationsOf(graph).filter((it) => it === 'binary' || it === 'unary')).toEqual([])
  })

  test('folds to constants', async () => {
    const graph = await load({
      inputs: { x: [2, 6] },
      outputs: { y: null },
      constants: { half: floats([1], 0.5) },
      nodes: [
        { op: 'Shape', inputs: ['x'], outputs: ['s'] },
        { op: 'Cast', inputs: ['s'], outputs: ['f'], attributes: { to: 1 } },
        { op: 'Mul', inputs: ['f', 'half'], outputs: ['h'] },
        { op: 'Softmax', inputs: ['h'], outputs: ['e'] },
        { op: 'ArgMax', inputs: ['e'], outputs: ['y'], attributes: { axis: 0 } },
      ],
    })
    expect(await elementsOf(graph)).toEqual([1n])
    expect(graph.nodes).toEqual([])
  })
})

describe('Cast', () => {
  test('to float16 rounds, to float64 does nothing', async () => {
    expect(operationsOf(await load(single([2], { op: 'Cast', attributes: { to: 10 } })))).toEqual([
      'Cast',
      'Cast',
    ])
    const double = await load(single([2], { op: 'Cast', attributes: { to: 11 } }))
    expect(double.outputs[0]?.value).toBe(double.inputs[0])
  })

  test('CastLike takes the dtype of the other operand', async () => {
    const graph = await load(single([2], { op: 'CastLike' }, { like: ints(1) }))
    expect(graph.outputs[0]?.value.dtype).toBe('int64')
    expect(operationsOf(graph)).toEqual(['Cast'])
  })

  test('refuses float8', async () => {
    await expect(load(single([2], { op: 'Cast', attributes: { to: 17 } }))).rejects.toMatchObject({
      code: 'MODEL_DTYPE_UNSUPPORTED',
    })
  })
})

describe('forms of older operator sets', () => {
  test('the second operand may start at an axis of the first', async () => {
    const at = (attributes: Record<string, number>) =>
      load(single([2, 3, 4], { op: 'Add', attributes }, { b: floats([3], 1, 2, 3) }, 6))
    const graph = await at({ broadcast: 1, axis: 1 })
    expect(dimsOf(graph)).toEqual([2, 3, 4])
    expect(graph.nodes.at(-1)?.inputs[1]?.dims).toEqual([3, 1])
    await expect(at({ broadcast: 1, axis: 2 })).rejects.toMatchObject({ code: 'MODEL_SHAPE_MISMATCH' })
    await expect(at({})).rejects.toMatchObject({ code: 'MODEL_SHAPE_MISMATCH' })
  })

  test('axes of reductions are an attribute up to opset 17', async () => {
    const node = { op: 'ReduceMax', attributes: { axes: [1], keepdims: 0 } }
    expect(dimsOf(await load(single(['n', 3, 4], node, {}, 13)))).toEqual(['n', 4])
    await expect(load(single(['n', 3, 4], node, {}, 18))).rejects.toMatchObject({
      code: 'MODEL_OPERATOR_UNSUPPORTED',
    })
    expect(dimsOf(await load(single(['n', 3, 4], { op: 'ReduceMax' }, { axes: ints(-1) }, 18)))).toEqual([
      'n',
      3,
      1,
    ])
  })

  test('Softmax flattens up to opset 12, symbolic dimensions too', async () => {
    const known = await load(single(['n', 3, 4], { op: 'Softmax' }, {}, 11))
    expect(operationsOf(known)).toEqual(['reshape', 'softmax', 'reshape'])
    expect(known.nodes[1]?.output.dims).toEqual(['n', 12])
    const symbolic = await load(single([2, 'n', 4], { op: 'Softmax', attributes: { axis: 1 } }, {}, 11))
    expect(operationsOf(symbolic)).toContain('softmax')
    expect(dimsOf(symbolic)).toEqual([2, 'n', 4])
    expect(operationsOf(await load(single(['n', 3, 1], { op: 'Hardmax' }, {}, 11)))).toEqual(['Hardmax'])
  })
})

describe('operands that are known only at run time', () => {
  test('bounds of Clip', async () => {
    const graph = await load({
      inputs: { x: [2, 3], low: [] },
      outputs: { y: null },
      nodes: [{ op: 'Clip', inputs: ['x', 'low'], outputs: ['y'] }],
    })
    expect(operationsOf(graph)).toEqual(['Clip'])
  })

  test('axes leave the dims open', async () => {
    const graph = await load({
      opset: 18,
      inputs: { x: [2, 3], a: [1] },
      outputs: { y: null },
      nodes: [
        { op: 'Cast', inputs: ['a'], outputs: ['axes'], attributes: { to: 7 } },
        { op: 'ReduceSum', inputs: ['x', 'axes'], outputs: ['y'], attributes: { keepdims: 0 } },
      ],
    })
    expect(operationsOf(graph)).toEqual(['Cast', 'ReduceSum'])
    expect(dimsOf(graph)).toEqual([expect.stringMatching(/^\?/)])
  })

  test('a reduced dimension that is a symbol', async () => {
    const graph = await load(single(['n', 3], { op: 'ReduceMean' }, { axes: ints(0) }))
    expect(operationsOf(graph)).toEqual(['ReduceMean'])
    expect(dimsOf(graph)).toEqual([1, 3])
  })
})

describe('quantization', () => {
  const weights = (axis: number): TestModel => ({
    opset: 21,
    inputs: { x: [1] },
    outputs: { y: null },
    constants: {
      w: { dims: [100, 50], data: BigInt64Array.from({ length: 5000 }, (_, i) => BigInt(i % 100)) },
      scale: floats([50], ...Array.from({ length: 50 }, (_, i) => i + 1)),
      z: { dims: [50], data: BigInt64Array.from({ length: 50 }, () => 10n) },
    },
    nodes: [
      { op: 'Cast', inputs: ['w'], outputs: ['q'], attributes: { to: 3 } },
      { op: 'Cast', inputs: ['z'], outputs: ['zero'], attributes: { to: 3 } },
      { op: 'DequantizeLinear', inputs: ['q', 'scale', 'zero'], outputs: ['y'], attributes: { axis } },
    ],
  })

  test('weights become float32 constants', async () => {
    const { constant } = (await load(weights(1))).outputs[0]?.value ?? {}
    expect(constant?.dtype).toBe('float32')
    // Row 1 holds 50 … 99, and column i has scale i + 1.
    expect([...((await constant?.read(50, 3)) ?? [])]).toEqual([40, 82, 126])
    expect([...((await constant?.read(4999, 1)) ?? [])]).toEqual([89 * 50])
  })

  test('refuses scales that do not fit, and other results', async () => {
    await expect(load(weights(0))).rejects.toMatchObject({ code: 'MODEL_SHAPE_MISMATCH' })
    const constants = { scale: floats([], 1) }
    for (const attributes of [{ output_dtype: 7 }, { precision: 10 }]) {
      const node = { op: 'QuantizeLinear', attributes }
      await expect(load(single([2], node, constants, 23))).rejects.toMatchObject({
        code: 'MODEL_OPERATOR_UNSUPPORTED',
      })
    }
    const graph = await load(
      single([2], { op: 'QuantizeLinear', attributes: { output_dtype: 5 } }, constants, 23),
    )
    expect(graph.outputs[0]?.value.dtype).toBe('int16')
  })
})
