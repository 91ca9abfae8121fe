// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { importOnnx } from '../onnx/import.ts'
import { removeDeadNodes } from '../passes/remove-dead-nodes.ts'
import { memoryModelSource } from '../source/model-source.ts'
import { buildModel, type TestAttribute, type TestTensor } from '../testing/index.ts'

type Dims = readonly (number | string)[]

const floats = (...dims: number[]): TestTensor => ({
  dims,
  data: new Float32Array(dims.reduce((count, dim) => count * dim, 1)),
})
const ints = (...dims: number[]): TestTensor => ({
  dims,
  data: new BigInt64Array(dims.reduce((count, dim) => count * dim, 1)),
})

/** The graph of one node; operands are inputs where dims are given, else constants. */
async function imported(
  op: string,
  operands: readonly (Dims | TestTensor)[],
  attributes: Readonly<Record<string, TestAttribute>> = {},
  { opset = 23, outputs = ['y'] } = {},
) {
  const named = operands.map((it, i) => [`x${i}`, it] as const)
  const isDims = (it: Dims | TestTensor): it is Dims => Array.isArray(it)
  const model = {
    opset,
    inputs: Object.fromEntries(named.filter(([, it]) => isDims(it))) as Record<string, Dims>,
    constants: Object.fromEntries(named.filter(([, it]) => !isDims(it))) as Record<string, TestTensor>,
    outputs: Object.fromEntries(outputs.map((name) => [name, null])),
    nodes: [{ op, inputs: named.map(([name]) => name), outputs, attributes }],
  }
  return removeDeadNodes(await importOnnx(memoryModelSource(buildModel(model))))
}

/** The steps that are left, operators by their names, and the dims of the first output. */
async function steps(...call: Parameters<typeof imported>) {
  const graph = await imported(...call)
  const names = graph.nodes.map((it) => (it.op === 'operator' ? it.attributes.operator : it.op))
  return [names, graph.outputs[0]?.value.dims]
}

describe('MatMul', () => {
  test('goes to the kernels where they can tell that operands fit', async () => {
    expect(await steps('MatMul', [['n', 3, 4], floats(4, 5)])).toEqual([['dense'], ['n', 3, 5]])
    expect(
      await steps('MatMul', [
        ['n', 'm', 4],
        ['n', 4, 'm'],
      ]),
    ).toEqual([['matmul'], ['n', 'm', 'm']])
    expect(await steps('MatMul', [[4], [4]])).toEqual([['reshape', 'reshape', 'matmul', 'reshape'], []])
  })

  test('goes to the operator where only the sizes tell', async () => {
    expect(
      await steps('MatMul', [
        ['n', 'm'],
        ['k', 5],
      ]),
    ).toEqual([['MatMul'], ['n', 5]])
    expect(
      await steps('MatMul', [
        ['n', 0],
        [0, 5],
      ]),
    ).toEqual([['MatMul'], ['n', 5]])
  })

  test('refuses operands that never fit', async () => {
    const model = imported('MatMul', [
      [2, 3],
      [2, 3],
    ])
    await expect(model).rejects.toMatchObject({ code: 'MODEL_SHAPE_MISMATCH' })
  })
})

describe('Gemm', () => {
  test('goes to the kernels, with C fused where it is one row', async () => {
    expect(await steps('Gemm', [['n', 4], floats(5, 4), floats(5)], { transB: 1 })).toEqual([
      ['dense'],
      ['n', 5],
    ])
    const operands = [
      ['n', 4],
      [4, 5],
      ['n', 1],
    ]
    expect(await steps('Gemm', operands, { alpha: { float: 0.5 } })).toEqual([
      ['matmul', 'binary', 'binary'],
      ['n', 5],
    ])
  })

  test('goes to the operator for other dtypes and sizes that are not known', async () => {
    expect(await steps('Gemm', [ints(2, 1), ints(1, 3)])).toEqual([[], [2, 3]])
    expect(
      await steps('Gemm', [
        ['n', 'm'],
        ['k', 5],
      ]),
    ).toEqual([['Gemm'], ['n', 5]])
  })
})

describe('Einsum', () => {
  test('is a product of matrices between transpositions where it can be', async () => {
    const query = ['n', 'q', 2, 8]
    const key = ['n', 'k', 2, 8]
    expect(await steps('Einsum', [query, key], { equation: 'bqhd,bkhd->bhqk' })).toEqual([
      ['transpose', 'transpose', 'matmul'],
      ['n', 2, 'q', 'k'],
    ])
    expect(await steps('Einsum', [['n', 3, 4], floats(3, 4, 5)], { equation: 'bij,ijk->bk' })).toEqual([
      ['reshape', 'dense'],
      ['n', 5],
    ])
  })

  test('is the operator otherwise', async () => {
    expect(await steps('Einsum', [['n', 4, 4]], { equation: 'bii->bi' })).toEqual([['Einsum'], ['n', 4]])
    expect(
      await steps(
        'Einsum',
        [
          ['n', 3],
          ['n', 3],
        ],
        { equation: 'ij,ij->ij' },
      ),
    ).toEqual([['Einsum'], ['n', 3]])
    const lone = [
      ['n', 3],
      [3, 2],
    ]
    expect(await steps('Einsum', lone, { equation: 'ij,jk->i' })).toEqual([['Einsum'], ['n']])
  })

  test('refuses an equation that does not fit', async () => {
    const model = imported('Einsum', [[2, 3]], { equation: 'ijk->i' })
    await expect(model).rejects.toMatchObject({ code: 'MODEL_SHAPE_MISMATCH' })
  })
})

describe('normalizations', () => {
  test('LayerNormalization asks the operator for statistics, and for sizes that are not known', async () => {
    const [kernels, dims] = await steps('LayerNormalization', [['n', 8], floats(8)])
    expect(kernels).not.toContain('LayerNormalization')
    expect(dims).toEqual(['n', 8])
    expect(await steps('LayerNormalization', [['n', 'm'], floats(1)])).toEqual([
      ['LayerNormalization'],
      ['n', 'm'],
    ])
    const graph = await imported('LayerNormalization', [['n', 8], floats(8)], {}, { outputs: ['y', 'mean'] })
    expect(graph.nodes.map((it) => it.op)).toEqual(['operator'])
    expect(graph.outputs.map(({ value }) => value.dims)).toEqual([
      ['n', 8],
      ['n', 1],
    ])
  })

  test('BatchNormalization takes parameters that are not constant', async () => {
    const constants = [floats(3), floats(3), floats(3), floats(3)]
    expect(await steps('BatchNormalization', [['n', 3, 2], ...constants])).toEqual([
      ['batchNorm'],
      ['n', 3, 2],
    ])
    expect(await steps('BatchNormalization', [['n', 3, 2], [3], ...constants.slice(1)])).toEqual([
      ['BatchNormalization'],
      ['n', 3, 2],
    ])
    const perElement = constants.map(() => floats(3, 2))
    const old = { opset: 8 }
    expect(await steps('BatchNormalization', [['n', 3, 2], ...perElement], { spatial: 0 }, old)).toEqual([
      ['BatchNormalization'],
      ['n', 3, 2],
    ])
    const training = imported('BatchNormalization', [['n', 3], ...constants], { training_mode: 1 })
    await expect(training).rejects.toMatchObject({ code: 'MODEL_OPERATOR_UNSUPPORTED' })
    // Before opset 14 it trains where it gives more than one output.
    const parameters = { s: floats(3), b: floats(3), m: floats(3), v: floats(3) }
    const counted = (opset: number) => {
      const outputs = ['y', 'mean', 'variance']
      const nodes = [{ op: 'BatchNormalization', inputs: ['x', 's', 'b', 'm', 'v'], outputs }]
      const model = { opset, inputs: { x: ['n', 3] }, outputs: { y: null }, constants: parameters, nodes }
      return importOnnx(memoryModelSource(buildModel(model)))
    }
    await expect(counted(9)).rejects.toMatchObject({ code: 'MODEL_OPERATOR_UNSUPPORTED' })
    expect((await counted(14)).nodes.length).toBe(1)
  })
})

describe('recurrent layers', () => {
  const layer = [['t', 'n', 3], floats(1, 4, 3), floats(1, 4, 4)]

  test('read activations by name', async () => {
    const graph = await imported('RNN', layer, { activations: ['relu'] }, { outputs: ['y', 'last'] })
    expect(graph.nodes[0]?.attributes).toMatchObject({ attributes: { activations: [0] } })
    expect(graph.outputs.map(({ value }) => value.dims)).toEqual([
      ['t', 1, 'n', 4],
      [1, 'n', 4],
    ])
  })

  test('refuse an activation that nobody knows, or that lacks its parameters', async () => {
    for (const name of ['Swish', 'Affine']) {
      const model = imported('RNN', layer, { activations: [name] })
      await expect(model).rejects.toMatchObject({ code: 'MODEL_OPERATOR_UNSUPPORTED' })
    }
  })
})

describe('Attention', () => {
  const heads = (length: string, count: number | string = 2) => ['n', count, length, 4]

  test('without a mask goes to the kernels', async () => {
    expect(await steps('Attention', [heads('q'), heads('k'), heads('k')])).toEqual([
      ['binary', 'transpose', 'matmul', 'softmax', 'matmul'],
      ['n', 2, 'q', 4],
    ])
    const flat = (length: string) => ['n', length, 8]
    const attributes = { q_num_heads: 2, kv_num_heads: 2 }
    expect((await steps('Attention', [flat('q'), flat('k'), flat('k')], attributes))[1]).toEqual([
      'n',
      'q',
      8,
    ])
  })

  test('with a mask, causal, or with groups of heads goes to the operator', async () => {
    const operands = [heads('q'), heads('k'), heads('k')]
    const expected = [['Attention'], ['n', 2, 'q', 4]]
    expect(await steps('Attention', [...operands, ['q', 'k']])).toEqual(expected)
    expect(await steps('Attention', operands, { is_causal: 1 })).toEqual(expected)
    expect(await steps('Attention', operands, { softcap: { float: 2 } })).toEqual(expected)
    const grouped = [heads('q', 4), heads('k'), heads('k')]
    expect(await steps('Attention', grouped)).toEqual([['Attention'], ['n', 4, 'q', 4]])
  })

  test('refuses a scale of 0', async () => {
    const model = imported('Attention', [heads('q'), heads('k'), heads('k')], { scale: { float: 0 } })
    await expect(model).rejects.toMatchObject({ code: 'MODEL_OPERATOR_UNSUPPORTED' })
  })
})
