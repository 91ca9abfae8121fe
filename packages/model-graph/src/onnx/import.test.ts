// SPDX-License-Identifier: Apache-2.0
import { create, toBinary } from '@bufbuild/protobuf'
import { isMlCapsuleError } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ModelError } from '../errors.ts'
import { removeDeadNodes } from '../passes/remove-dead-nodes.ts'
import { memoryModelSource } from '../source/model-source.ts'
import { buildModel, type TestModel, type TestTensor, tinyModel } from '../testing/index.ts'
import { ModelProtoSchema, TensorProto_DataType } from './generated/onnx_pb.ts'
import { importOnnx } from './import.ts'

const load = (model: TestModel, symbols?: Record<string, number>) =>
  importOnnx(memoryModelSource(buildModel(model)), symbols === undefined ? {} : { symbols })
const floats = (dims: readonly number[]): TestTensor => ({
  dims,
  data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1),
})
const ints = (...values: number[]): TestTensor => ({
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
})
const relu = { op: 'Relu', inputs: ['x'], outputs: ['y'] }
const base: TestModel = { inputs: { x: [1, 2] }, outputs: { y: null }, nodes: [relu] }

describe('importOnnx', () => {
  test('gives inputs, outputs, nodes and facts about the model', async () => {
    const graph = await importOnnx(memoryModelSource(tinyModel({ kind: 'mlp', batch: 'batch' })))
    expect(graph.inputs.map(({ name, dtype, dims }) => ({ name, dtype, dims }))).toEqual([
      { name: 'x', dtype: 'float32', dims: ['batch', 16] },
    ])
    expect(graph.outputs.map(({ name, value }) => ({ name, dims: value.dims }))).toEqual([
      { name: 'y', dims: ['batch', 10] },
    ])
    expect(graph.nodes.map((it) => it.op)).toEqual(['dense', 'unary', 'dense', 'softmax'])
    expect(graph.source).toEqual({
      nodeCount: 4,
      parameterCount: 24 * 16 + 24 + 10 * 24 + 10,
      operators: { Gemm: 2, Relu: 1, Softmax: 1 },
    })
  })

  test('puts nodes in order', async () => {
    const graph = await load({
      ...base,
      nodes: [
        { op: 'Neg', inputs: ['a'], outputs: ['y'] },
        { op: 'Abs', inputs: ['x'], outputs: ['a'] },
      ],
    })
    expect(graph.nodes.map((it) => it.op === 'unary' && it.attributes.unary)).toEqual(['abs', 'neg'])
  })

  test('binds symbols that are given, and keeps the others', async () => {
    const model = { ...base, inputs: { x: ['n', 'm'] } }
    expect((await load(model, { n: 3 })).outputs[0]?.value.dims).toEqual([3, 'm'])
  })

  test('an input that is an initializer too is a constant', async () => {
    const graph = await load({
      inputs: { x: [2], w: [2] },
      constants: { w: floats([2]) },
      outputs: { y: null },
      nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
    })
    expect(graph.inputs.map((it) => it.name)).toEqual(['x'])
  })

  test('follows shape computations with a symbolic batch', async () => {
    const graph = await load({
      inputs: { x: ['n', 3, 4] },
      outputs: { y: null },
      constants: { zero: ints(0), minus: ints(-1), axes: ints(0) },
      nodes: [
        { op: 'Shape', inputs: ['x'], outputs: ['s'] },
        { op: 'Gather', inputs: ['s', 'zero'], outputs: ['b'] },
        { op: 'Squeeze', inputs: ['b', 'axes'], outputs: ['b0'] },
        { op: 'Unsqueeze', inputs: ['b0', 'axes'], outputs: ['b1'] },
        { op: 'Concat', inputs: ['b1', 'minus'], outputs: ['t'], attributes: { axis: 0 } },
        { op: 'Reshape', inputs: ['x', 't'], outputs: ['y'] },
      ],
    })
    expect(graph.outputs[0]?.value.dims).toEqual(['n', 12])
    expect(removeDeadNodes(graph).nodes.map((it) => it.op)).toEqual(['reshape'])
  })

  const conv = (weights: readonly number[], attributes = {}): TestModel => ({
    inputs: { x: [1, 2, 5, 5] },
    outputs: { y: null },
    constants: { w: floats(weights) },
    nodes: [{ op: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes }],
  })

  test.each<[string, readonly number[], TestModel]>([
    ['no padding', [1, 4, 3, 3], conv([4, 2, 3, 3])],
    ['same, upper', [1, 4, 3, 3], conv([4, 2, 2, 2], { auto_pad: 'SAME_UPPER', strides: [2, 2] })],
    ['dilation', [1, 4, 1, 1], conv([4, 2, 3, 3], { dilations: [2, 2] })],
    ['groups', [1, 4, 5, 5], conv([4, 1, 3, 3], { group: 2, pads: [1, 1, 1, 1] })],
  ])('infers the shape of a convolution with %s', async (_name, dims, model) => {
    expect((await load(model)).outputs[0]?.value.dims).toEqual(dims)
  })

  test('names every unsupported node in one error', async () => {
    const error = await load({
      inputs: { x: [1, 2] },
      outputs: { y: null },
      nodes: [
        { op: 'Loop', inputs: ['x'], outputs: ['a'], name: 'first' },
        { op: 'Relu', inputs: ['a'], outputs: ['b'] },
        { op: 'Pad', inputs: ['x'], outputs: ['c'], attributes: { mode: 'mirror' }, name: 'second' },
        { op: 'Relu', inputs: ['x'], outputs: ['d'], domain: 'com.example', name: 'third' },
        { op: 'Relu', inputs: ['x'], outputs: ['e'], attributes: { slope: 1 }, name: 'fourth' },
        { op: 'Sum', inputs: ['b', 'c', 'd', 'e'], outputs: ['y'] },
      ],
    }).catch((it: unknown) => it)
    expect(error).toBeInstanceOf(ModelError)
    const { code, issues } = error as ModelError
    expect(code).toBe('MODEL_OPERATOR_UNSUPPORTED')
    expect(issues.map(({ node, operator, domain, opset }) => [node, operator, domain, opset])).toEqual([
      ['first', 'Loop', 'ai.onnx', 17],
      ['second', 'Pad', 'ai.onnx', 17],
      ['third', 'Relu', 'com.example', 0],
      ['fourth', 'Relu', 'ai.onnx', 17],
    ])
  })

  const cyclic: TestModel['nodes'] = [
    { op: 'Add', inputs: ['x', 'b'], outputs: ['a'] },
    { op: 'Relu', inputs: ['a'], outputs: ['b'] },
    { op: 'Relu', inputs: ['b'], outputs: ['y'] },
  ]
  const withConstant = (op: string, it: TestTensor, attributes = {}): TestModel => ({
    ...base,
    constants: { c: it },
    nodes: [{ op, inputs: ['x', 'c'], outputs: ['y'], attributes }],
  })
  test.each<[string, TestModel, string]>([
    ['a cycle', { ...base, nodes: cyclic }, 'MODEL_GRAPH_CYCLIC'],
    ['a missing value', { ...base, nodes: [{ ...relu, inputs: ['z'] }] }, 'MODEL_VALUE_UNDEFINED'],
    ['a missing output', { ...base, outputs: { q: null } }, 'MODEL_VALUE_UNDEFINED'],
    ['a missing input', { ...base, nodes: [{ ...relu, inputs: [''] }] }, 'MODEL_GRAPH_INVALID'],
    ['a value made twice', { ...base, nodes: [relu, relu] }, 'MODEL_NAME_DUPLICATE'],
    ['a node that makes an input', { ...base, nodes: [{ ...relu, outputs: ['x'] }] }, 'MODEL_NAME_DUPLICATE'],
    ['no outputs', { ...base, outputs: {} }, 'MODEL_GRAPH_INVALID'],
    ['operator set 5', { ...base, opset: 5 }, 'MODEL_OPSET_UNSUPPORTED'],
    ['an operator set of the future', { ...base, opset: 999 }, 'MODEL_OPSET_UNSUPPORTED'],
    [
      'an operator before its time',
      { ...base, opset: 8, nodes: [{ ...relu, op: 'Erf' }] },
      'MODEL_OPERATOR_UNSUPPORTED',
    ],
    ['a wrong output shape', { ...base, outputs: { y: [1, 3] } }, 'MODEL_SHAPE_MISMATCH'],
    ['operands that do not broadcast', withConstant('Add', floats([3])), 'MODEL_SHAPE_MISMATCH'],
    ['a matrix that does not fit', withConstant('MatMul', floats([3, 2])), 'MODEL_SHAPE_MISMATCH'],
    ['an impossible reshape', withConstant('Reshape', ints(3, -1)), 'MODEL_SHAPE_MISMATCH'],
    ['a huge expand', withConstant('Expand', ints(1 << 30, 64, 2)), 'MODEL_TOO_LARGE'],
    ['an expand that overflows', withConstant('Expand', ints(2 ** 52, 2 ** 52, 2)), 'MODEL_TOO_LARGE'],
    ['an axis out of range', withConstant('Concat', floats([1, 2]), { axis: 7 }), 'MODEL_SHAPE_MISMATCH'],
    ['arithmetic on two dtypes', withConstant('Add', ints(1)), 'MODEL_SHAPE_MISMATCH'],
    ['weights that do not fit the channels', conv([4, 3, 3, 3]), 'MODEL_SHAPE_MISMATCH'],
    ['a window larger than the image', conv([4, 2, 9, 9]), 'MODEL_SHAPE_MISMATCH'],
    ['a stride of 0', conv([4, 2, 3, 3], { strides: [0, 1] }), 'MODEL_SHAPE_MISMATCH'],
    ['group 0', conv([4, 2, 3, 3], { group: 0 }), 'MODEL_SHAPE_MISMATCH'],
  ])('refuses %s', async (_what, model, code) => {
    await expect(load(model)).rejects.toMatchObject({ code })
  })

  test('refuses a file without a graph, and one whose elements are of another type', async () => {
    const model = (init: Parameters<typeof create<typeof ModelProtoSchema>>[1]) =>
      importOnnx(memoryModelSource(toBinary(ModelProtoSchema, create(ModelProtoSchema, init))))
    await expect(model({})).rejects.toMatchObject({ code: 'MODEL_GRAPH_INVALID' })
    const input = {
      name: 'x',
      type: {
        value: {
          case: 'tensorType' as const,
          value: { elemType: TensorProto_DataType.COMPLEX64, shape: {} },
        },
      },
    }
    const opsetImport = [{ version: 13n }]
    await expect(model({ opsetImport, graph: { input: [input] } })).rejects.toMatchObject({
      code: 'MODEL_DTYPE_UNSUPPORTED',
    })
  })

  test('refuses a symbol size that is not a positive integer', async () => {
    await expect(load(base, { n: 0 })).rejects.toMatchObject({
      code: 'MODEL_OPTION_INVALID',
      field: 'symbols.n',
    })
  })

  test('never fails without a code on mutated models', async () => {
    const seeds = [tinyModel({ kind: 'cnn' }), tinyModel({ kind: 'mlp', batch: 'n' })]
    const mutated = fc.constantFrom(...seeds).chain((seed) =>
      fc
        .array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
        .map((mutations) => {
          const copy = seed.slice()
          for (const [at, value] of mutations) copy[at] = value
          return copy
        }),
    )
    await fc.assert(
      fc.asyncProperty(mutated, async (bytes) => {
        try {
          await importOnnx(memoryModelSource(bytes))
        } catch (error) {
          if (!isMlCapsuleError(error)) throw error
        }
      }),
      { numRuns: process.env.SLOW === '1' ? 20_000 : 300 },
    )
  })
})
