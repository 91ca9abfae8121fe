// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { type TfjsWeight, tfjsSource } from '../../testing/index.ts'
import { importTfjs } from '../import.ts'

interface TestNode {
  readonly name: string
  readonly op: string
  readonly input?: readonly string[]
  readonly attr?: Readonly<Record<string, unknown>>
}

const placeholder = (name: string, ...dims: number[]): TestNode => ({
  name,
  op: 'Placeholder',
  attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim: dims.map((size) => ({ size: `${size}` })) } } },
})

const outputs = (...names: string[]) => ({
  signature: { outputs: Object.fromEntries(names.map((name, i) => [`o${i}`, { name }])) },
})

function load(
  node: readonly TestNode[],
  fields: Readonly<Record<string, unknown>> = {},
  weights: readonly TfjsWeight[] = [],
) {
  return importTfjs(tfjsSource({ topology: { node }, fields, weights }))
}

describe('a graph-model', () => {
  test('takes inputs and outputs from its signature, in its order, with one batch', async () => {
    const nodes = [
      placeholder('b', -1, 3),
      placeholder('a', -1, 3),
      { name: 'sum', op: 'AddV2', input: ['a', 'b'] },
      { name: 'parts', op: 'Unpack', input: ['sum'], attr: { num: { i: '3' }, axis: { i: '-1' } } },
    ]
    const graph = await load(nodes, {
      signature: {
        inputs: { x: { name: 'a:0' }, y: { name: 'b:0' } },
        outputs: { first: { name: 'parts:2' }, second: { name: 'sum:0' } },
      },
    })
    expect(graph.inputs.map(({ name, dims }) => [name, dims])).toEqual([
      ['a', ['batch', 3]],
      ['b', ['batch', 3]],
    ])
    expect(graph.outputs.map(({ name, value }) => [name, value.dims])).toEqual([
      ['parts:2', ['batch']],
      ['sum', ['batch', 3]],
    ])
    expect(graph.source).toMatchObject({ nodeCount: 2, operators: { AddV2: 1, Unpack: 1 } })
  })

  test('gives what no node reads, where it has no signature', async () => {
    const graph = await load([
      placeholder('x', 2),
      { name: 'y', op: 'Relu', input: ['x'] },
      { name: 'z', op: 'Neg', input: ['y', '^x'] },
    ])
    expect(graph.outputs.map(({ name }) => name)).toEqual(['z'])
  })

  test.each([
    ['an input where the signature says so', { x: { name: 'x:0' } }, 1],
    ['its default elsewhere', {}, 0],
  ])('takes an input with a default for %s', async (_what, inputs, count) => {
    const [given] = [placeholder('x', 2)]
    const nodes = [
      { name: 'c', op: 'Const' },
      { ...given, op: 'PlaceholderWithDefault', input: ['c'] },
      { name: 'y', op: 'Relu', input: ['x'] },
    ] as readonly TestNode[]
    const fields = { signature: { inputs, outputs: { y: { name: 'y' } } } }
    const graph = await load(nodes, fields, [{ name: 'c', shape: [2], data: Float32Array.of(1, -1) }])
    expect(graph.inputs).toHaveLength(count)
  })

  test('ignores nodes that no output depends on, and the order of nodes', async () => {
    const graph = await load(
      [
        { name: 'y', op: 'Relu', input: ['x:0'] },
        { name: 'other', op: 'Mystery', input: ['x'] },
        placeholder('x', 2),
      ],
      outputs('y'),
    )
    expect(graph.source.nodeCount).toBe(1)
  })

  test('follows shapes through arithmetic on them', async () => {
    const integers = (name: string, ...data: number[]): TfjsWeight => {
      return { name, shape: [data.length], dtype: 'int32', data: Int32Array.from(data) }
    }
    const constant = (name: string): TestNode => ({ name, op: 'Const' })
    const nodes = [
      placeholder('x', -1, 4, 6),
      { name: 'shape', op: 'Shape', input: ['x'] },
      ...['zero', 'one', 'step'].map(constant),
      {
        name: 'batch',
        op: 'StridedSlice',
        input: ['shape', 'zero', 'one', 'step'],
        attr: { shrink_axis_mask: { i: '1' } },
      },
      constant('count'),
      { name: 'target', op: 'Pack', input: ['batch', 'count'], attr: { axis: { i: '0' } } },
      { name: 'y', op: 'Reshape', input: ['x', 'target'] },
    ]
    const count: TfjsWeight = { name: 'count', shape: [], dtype: 'int32', data: Int32Array.of(24) }
    const weights = [integers('zero', 0), integers('one', 1), integers('step', 1), count]
    const graph = await load(nodes, outputs('y'), weights)
    expect(graph.outputs[0]?.value.dims).toEqual(['batch', 24])
    expect(graph.nodes).toHaveLength(1)
  })

  test('takes nothing going backward from before the first element', async () => {
    const backward = (size: number, begin: number) => {
      const list = (name: string, ...data: number[]): TfjsWeight => {
        return { name, shape: [data.length], dtype: 'int32', data: Int32Array.from(data) }
      }
      const lists = [list('begin', begin), list('end', -9), list('step', -1)]
      const nodes = [
        placeholder('x', size),
        ...lists.map(({ name }): TestNode => ({ name, op: 'Const' })),
        { name: 'y', op: 'StridedSlice', input: ['x', 'begin', 'end', 'step'] },
      ]
      return load(nodes, outputs('y'), lists)
    }
    const dims = async (size: number, begin: number) => (await backward(size, begin)).outputs[0]?.value.dims
    expect(await dims(4, -4)).toEqual([1])
    expect(await dims(4, -5)).toEqual([0])
    await expect(backward(-1, -5)).rejects.toMatchObject({ code: 'MODEL_OPERATOR_UNSUPPORTED' })
  })

  test('moves what is cut into blocks to the batch and back, also of a batch that is not known', async () => {
    const list = (name: string, shape: number[], ...data: number[]): TfjsWeight => {
      return { name, shape, dtype: 'int32', data: Int32Array.from(data) }
    }
    const nodes = [
      placeholder('x', -1, 4, 6, 1),
      { name: 'blocks', op: 'Const' },
      { name: 'edges', op: 'Const' },
      { name: 'cut', op: 'SpaceToBatchND', input: ['x', 'blocks', 'edges'] },
      { name: 'y', op: 'BatchToSpaceND', input: ['cut', 'blocks', 'edges'] },
    ]
    const weights = [list('blocks', [2], 2, 3), list('edges', [2, 2], 0, 0, 0, 0)]
    const graph = await load(nodes, outputs('y'), weights)
    expect(graph.outputs[0]?.value.dims).toEqual(['batch', 4, 6, 1])
  })

  test('that is not supported names every node at fault, with a reason', async () => {
    const nodes = [
      placeholder('x', 2, 3),
      { name: 'a', op: 'While', input: ['x'] },
      { name: 'b', op: 'FFT', input: ['x'] },
      { name: 'c', op: 'Mystery', input: ['a', 'b'] },
      { name: 'd', op: 'FusedBatchNormV3', input: ['x', 'x', 'x', 'x', 'x'] },
      { name: 'e', op: 'GatherV2', input: ['x', 'x'], attr: { batch_dims: { i: '1' } } },
    ]
    await expect(load(nodes, outputs('c', 'd', 'e'))).rejects.toMatchObject({
      code: 'MODEL_OPERATOR_UNSUPPORTED',
      issues: [
        { node: 'b', operator: 'FFT', domain: 'tensorflow', reason: 'complex numbers are not supported' },
        { node: 'a', operator: 'While', reason: expect.stringContaining('control flow') },
        { node: 'c', reason: 'the operator is not supported' },
        { node: 'd', reason: expect.stringContaining('is_training') },
        { node: 'e', reason: expect.stringContaining('batch_dims') },
      ],
    })
  })

  test.each<[string, readonly TestNode[], Readonly<Record<string, unknown>>, string]>([
    [
      'nodes that wait for one another',
      [
        { name: 'a', op: 'Relu', input: ['b'] },
        { name: 'b', op: 'Relu', input: ['a'] },
      ],
      outputs('a'),
      'MODEL_GRAPH_CYCLIC',
    ],
    [
      'a node that waits for itself',
      [{ name: 'a', op: 'Relu', input: ['a'] }],
      outputs('a'),
      'MODEL_GRAPH_CYCLIC',
    ],
    ['an input that is no node', [{ name: 'a', op: 'Relu', input: ['b'] }], {}, 'MODEL_VALUE_UNDEFINED'],
    ['an output that is no node', [placeholder('x', 2)], outputs('y'), 'MODEL_VALUE_UNDEFINED'],
    ['an output that a node does not have', [placeholder('x', 2)], outputs('x:1'), 'MODEL_VALUE_UNDEFINED'],
    ['an output given twice', [placeholder('x', 2)], outputs('x', 'x:0'), 'MODEL_NAME_DUPLICATE'],
    ['a constant without weights', [{ name: 'a', op: 'Const' }], outputs('a'), 'MODEL_VALUE_UNDEFINED'],
    ['two nodes of one name', [placeholder('x', 2), placeholder('x', 3)], {}, 'MODEL_NAME_DUPLICATE'],
    ['no outputs', [placeholder('x', 2)], {}, 'MODEL_GRAPH_INVALID'],
    ['absurd dimensions', [placeholder('x', 2 ** 30, 2 ** 30)], outputs('x'), 'MODEL_TOO_LARGE'],
    [
      'an input of unknown rank',
      [{ name: 'x', op: 'Placeholder', attr: { shape: { shape: { unknownRank: true } } } }],
      outputs('x'),
      'MODEL_SHAPE_UNKNOWN',
    ],
    [
      'an input of text',
      [{ name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_STRING' }, shape: { shape: {} } } }],
      outputs('x'),
      'MODEL_DTYPE_UNSUPPORTED',
    ],
    [
      'shapes that do not go together',
      [placeholder('x', 2), placeholder('y', 3), { name: 'z', op: 'AddV2', input: ['x', 'y'] }],
      {},
      'MODEL_SHAPE_MISMATCH',
    ],
    ['a node without its input', [{ name: 'y', op: 'Relu' }], outputs('y'), 'MODEL_GRAPH_INVALID'],
    [
      'an attribute that is not one',
      [placeholder('x', 2), { name: 'y', op: 'Pack', input: ['x'], attr: { axis: { i: 'one' } } }],
      {},
      'MODEL_TFJS_MALFORMED',
    ],
  ])('with %s is refused', async (_what, nodes, fields, code) => {
    await expect(load(nodes, fields)).rejects.toMatchObject({ code })
  })

  const list = (name: string, shape: number[], ...data: number[]): TfjsWeight => {
    const data32 = data.every(Number.isInteger) ? Int32Array.from(data) : Float32Array.from(data)
    return { name, shape, dtype: data32 instanceof Int32Array ? 'int32' : 'float32', data: data32 }
  }

  test.each<[string, string, number[], readonly TfjsWeight[], string]>([
    ['half an axis', 'ArgMax', [2], [list('a', [], 0.5)], 'MODEL_GRAPH_INVALID'],
    ['half an axis of sums', 'Sum', [2], [list('a', [1], 0.5)], 'MODEL_GRAPH_INVALID'],
    ['half a place', 'Slice', [3], [list('a', [1], 0.5), list('b', [1], 1)], 'MODEL_GRAPH_INVALID'],
    ['half a permutation', 'Transpose', [2], [list('a', [1], 0.5)], 'MODEL_GRAPH_INVALID'],
    ['a part beyond the end', 'Slice', [3], [list('a', [1], 1), list('b', [1], 3)], 'MODEL_SHAPE_MISMATCH'],
    [
      'a part before the start',
      'Slice',
      [3],
      [list('a', [1], -1), list('b', [1], 1)],
      'MODEL_SHAPE_MISMATCH',
    ],
    [
      'a part of less than none',
      'Slice',
      [3],
      [list('a', [1], 1), list('b', [1], -2)],
      'MODEL_SHAPE_MISMATCH',
    ],
    ['-1 beside 0', 'Reshape', [2, 3], [list('a', [2], 0, -1)], 'MODEL_SHAPE_MISMATCH'],
    [
      'more cropped than there is',
      'BatchToSpaceND',
      [4, 2, 2, 1],
      [list('a', [2], 2, 2), list('b', [2, 2], 0, 5, 0, 0)],
      'MODEL_SHAPE_MISMATCH',
    ],
  ])('with %s is refused: %s', async (_what, op, dims, weights, code) => {
    const constants = weights.map(({ name }): TestNode => ({ name, op: 'Const' }))
    const input = ['x', ...weights.map(({ name }) => name)]
    const nodes = [placeholder('x', ...dims), ...constants, { name: 'y', op, input }]
    await expect(load(nodes, outputs('y'), weights)).rejects.toMatchObject({ code })
  })

  test.each([
    ['several ellipses', { ellipsis_mask: { i: '3' } }, 1],
    ['an index with a stride that goes back', { shrink_axis_mask: { i: '1' } }, -1],
  ])('with a slice of %s is refused', async (_what, attr, step) => {
    const weights = [list('a', [2], 0, 0), list('b', [2], 1, 1), list('c', [2], step, 1)]
    const nodes = [
      placeholder('x', 2, 3),
      ...weights.map(({ name }): TestNode => ({ name, op: 'Const' })),
      { name: 'y', op: 'StridedSlice', input: ['x', 'a', 'b', 'c'], attr },
    ]
    const code = 'MODEL_SHAPE_MISMATCH'
    await expect(load(nodes, outputs('y'), weights)).rejects.toMatchObject({ code })
  })

  test('does not take slopes of channels for those of columns', async () => {
    const weights = [
      list('filter', [1, 1, 1, 2], 1, 1),
      list('bias', [2], 0, 0),
      list('slopes', [2], 10, 100),
    ]
    const floats = weights.map((it) => ({ ...it, dtype: 'float32', data: Float32Array.from(it.data) }))
    const text = (value: string) => ({ s: btoa(value) })
    const attr = {
      data_format: text('NCHW'),
      padding: text('VALID'),
      strides: { list: { i: ['1', '1', '1', '1'] } },
      fused_ops: { list: { s: [btoa('BiasAdd'), btoa('Prelu')] } },
    }
    const nodes = [
      placeholder('x', 1, 1, 2, 2),
      ...weights.map(({ name }): TestNode => ({ name, op: 'Const' })),
      { name: 'y', op: '_FusedConv2D', input: ['x', 'filter', 'bias', 'slopes'], attr },
    ]
    const code = 'MODEL_OPERATOR_UNSUPPORTED'
    await expect(load(nodes, outputs('y'), floats)).rejects.toMatchObject({ code })
  })

  test('of 100,000 nodes in a row takes no stack', async () => {
    const nodes: TestNode[] = [placeholder('n0', 2)]
    for (let i = 1; i < 100_000; i++) nodes.push({ name: `n${i}`, op: 'Identity', input: [`n${i - 1}`] })
    expect((await load(nodes, outputs('n99999'))).nodes).toHaveLength(0)
  })
})
