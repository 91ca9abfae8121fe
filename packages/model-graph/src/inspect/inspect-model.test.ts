// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { memoryModelSource } from '../source/model-source.ts'
import {
  buildModel,
  type TestModel,
  type TestNode,
  type TestTensor,
  testNode,
  tinyModel,
} from '../testing/index.ts'
import { inspectModel } from './inspect-model.ts'

const inspect = (model: TestModel, symbols?: Record<string, number>) =>
  inspectModel(memoryModelSource(buildModel(model)), symbols === undefined ? {} : { symbols })
const node = (
  op: string,
  ...rest: [inputs: string, output: string, attributes?: TestNode['attributes']]
): TestNode => ({
  ...testNode(op, ...rest),
  name: `the ${op}`,
})
const floats = (...dims: number[]): TestTensor => ({
  dims,
  data: new Float32Array(dims.reduce((product, dim) => product * dim, 1)).fill(0.5),
})

test('says what a model consists of and takes', async () => {
  const source = memoryModelSource(tinyModel({ kind: 'mlp', batch: 'batch' }))
  const report = await inspectModel(source)
  expect(report).toMatchObject({
    format: 'onnx',
    producer: 'mlcapsule-testing',
    nodeCount: 4,
    parameterCount: 24 * 16 + 24 + 10 * 24 + 10,
    constantsSizeBytes: 4 * (24 * 16 + 24 + 10 * 24 + 10),
    operators: [
      { operator: 'Gemm', domain: 'ai.onnx', operatorSet: 17, count: 2, unsupportedCount: 0 },
      { operator: 'Relu', domain: 'ai.onnx', operatorSet: 17, count: 1, unsupportedCount: 0 },
      { operator: 'Softmax', domain: 'ai.onnx', operatorSet: 17, count: 1, unsupportedCount: 0 },
    ],
    unsupportedNodes: [],
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 16] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 10] }],
    compiled: {
      symbols: [{ name: 'batch', size: 1, isAssumed: true }],
      kernelStepCount: 3,
      operatorStepCount: 0,
      branchStepCount: 0,
      operatorsRun: [],
      macCount: 24 * 16 + 24 * 10,
      flopCount: 2 * (24 * 16 + 24 * 10) + 10,
      isComplete: true,
      dataDependences: [],
    },
  })
  const { compiled } = report
  expect(compiled?.residentMemorySizeBytes).toBe(
    (compiled?.arenaSizeBytes ?? 0) +
      (compiled?.weightsSizeBytes ?? 0) +
      (compiled?.programSizeBytes ?? 0) +
      (compiled?.recordsSizeBytes ?? 0),
  )
  // The first layer: 16 rows of 24 columns in two panels of 16, and its bias.
  expect(compiled?.streamingMemorySizeBytes).toBe(
    (compiled?.residentMemorySizeBytes ?? 0) - (compiled?.weightsSizeBytes ?? 0) + 2 * 4 * (16 * 32 + 24),
  )
  const eight = await inspectModel(source, { symbols: { batch: 8 } })
  expect(eight.compiled).toMatchObject({
    symbols: [{ name: 'batch', size: 8, isAssumed: false }],
    macCount: 8 * (24 * 16 + 24 * 10),
  })
})

test('names nodes that are not supported, and goes on', async () => {
  const report = await inspect({
    inputs: { x: ['n', 2] },
    outputs: { y: null },
    nodes: [node('Relu', 'x', 'r'), node('Loop', 'r', 'l'), node('Relu', 'l', 'y')],
  })
  expect(report.unsupportedNodes).toMatchObject([{ node: 'the Loop', reason: 'loops are not supported' }])
  expect(report.operators).toMatchObject([
    { operator: 'Loop', count: 1, unsupportedCount: 1 },
    { operator: 'Relu', count: 2, unsupportedCount: 0 },
  ])
  expect(report.outputs).toBeNull()
  expect(report.compiled).toBeNull()
})

describe('counts the arithmetic of kernels and of operators in TypeScript', () => {
  test.each<[string, TestModel, number]>([
    [
      'MatMul of integers',
      {
        inputs: { x: [3, 4] },
        inputTypes: { x: 'int64' },
        outputs: { y: null },
        constants: { w: { dims: [4, 5], data: new BigInt64Array(20).fill(1n) } },
        nodes: [node('MatMul', 'x w', 'y')],
      },
      3 * 4 * 5,
    ],
    [
      'LSTM',
      {
        inputs: { x: [6, 2, 3] },
        outputs: { y: null },
        constants: { w: floats(1, 16, 3), r: floats(1, 16, 4) },
        nodes: [node('LSTM', 'x w r', 'y', { hidden_size: 4 })],
      },
      6 * 2 * 16 * (3 + 4),
    ],
    [
      'Attention',
      {
        opset: 23,
        inputs: { q: [1, 2, 5, 8], k: [1, 2, 7, 8], v: [1, 2, 7, 6] },
        outputs: { y: null },
        nodes: [node('Attention', 'q k v', 'y')],
      },
      2 * 5 * 7 * (8 + 6),
    ],
  ])('%s', async (_what, model, macCount) => {
    const { compiled } = await inspect(model)
    expect(compiled?.macCount).toBe(macCount)
  })
})

describe('a course that depends on data', () => {
  const branching = (then: TestNode): TestModel => ({
    inputs: { x: ['n', 64], mode: [] },
    inputTypes: { mode: 'bool' },
    outputs: { y: null },
    constants: { w: floats(64, 64) },
    nodes: [
      {
        ...node('If', 'mode', 'y'),
        attributes: {
          then_branch: { graph: { outputs: ['a'], nodes: [then] } },
          else_branch: { graph: { outputs: ['b'], nodes: [node('Neg', 'x', 'b')] } },
        },
      },
    ],
  })

  test('is followed both ways; figures are those of the dearer one', async () => {
    const { compiled } = await inspect(branching(node('MatMul', 'x w', 'a')), { n: 10 })
    expect(compiled).toMatchObject({
      branchStepCount: 1,
      macCount: 10 * 64 * 64,
      isComplete: true,
      arenaSizeBytes: 2 * 10 * 64 * 4,
      dataDependences: [{ node: 'If node "the If"', decides: 'branch' }],
    })
  })

  test('ends where elements decide on sizes, and that is said', async () => {
    const { compiled } = await inspect({
      inputs: { x: ['n', 64] },
      outputs: { y: null },
      nodes: [node('Relu', 'x', 'r'), node('NonZero', 'r', 'i'), node('Cast', 'i', 'y', { to: 1 })],
    })
    expect(compiled).toMatchObject({
      isComplete: false,
      dataDependences: [{ node: 'NonZero node "the NonZero"', decides: 'sizes' }],
    })
    expect(compiled?.operatorsRun.map((it) => it.operator).sort()).toEqual(['Cast', 'NonZero'])
  })
})

test('refuses what is no model, and sizes for dimensions that are not there', async () => {
  await expect(inspectModel(memoryModelSource(Uint8Array.of(1, 2, 3)))).rejects.toMatchObject({
    code: 'MODEL_PROTO_MALFORMED',
  })
  const source = memoryModelSource(tinyModel({ kind: 'mlp', batch: 'batch' }))
  await expect(inspectModel(source, { symbols: { other: 1 } })).rejects.toMatchObject({
    code: 'MODEL_OPTION_INVALID',
    field: 'symbols.other',
  })
  await expect(inspectModel(source, { symbols: { batch: 0 } })).rejects.toMatchObject({
    code: 'MODEL_OPTION_INVALID',
  })
})
