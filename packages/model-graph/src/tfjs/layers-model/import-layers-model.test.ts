// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { layerChain, type TfjsWeight, tfjsSource, waveWeight } from '../../testing/index.ts'
import { importTfjs } from '../import.ts'

const load = (topology: unknown, weights: readonly TfjsWeight[] = []) =>
  importTfjs(tfjsSource({ topology, weights }))

const dense = (name: string, more: Readonly<Record<string, unknown>> = {}) =>
  ['Dense', { name, units: 2, ...more }] as const

const denseWeights = (path: string, inner = 3) => [
  waveWeight(`${path}/kernel`, [inner, 2]),
  waveWeight(`${path}/bias`, [2]),
]

const input = ['InputLayer', { name: 'x', batch_input_shape: [null, 3] }] as const

interface TestLayer {
  readonly class_name: string
  readonly name: string
  readonly config: unknown
  readonly inbound_nodes: unknown
}

const layer = (class_name: string, name: string, config: object, inbound_nodes: unknown): TestLayer => {
  return { class_name, name, config: { name, ...config }, inbound_nodes }
}

const functional = (layers: readonly TestLayer[], outputs: unknown, inputs: unknown = [['x', 0, 0]]) => ({
  class_name: 'Functional',
  config: { name: 'm', layers, input_layers: inputs, output_layers: outputs },
})

const x = layer('InputLayer', 'x', { batch_input_shape: [null, 3] }, [])

describe('a layers-model', () => {
  test('without an input layer takes the shape that its first layer gives', async () => {
    const graph = await load(layerChain(dense('a', { batch_input_shape: [null, 3] }), dense('b')), [
      ...denseWeights('a'),
      ...denseWeights('b', 2),
    ])
    expect(graph.inputs).toMatchObject([{ name: 'a_input', dtype: 'float32', dims: ['batch', 3] }])
    expect(graph.outputs).toMatchObject([{ name: 'b', value: { dims: ['batch', 2] } }])
    expect(graph.source).toEqual({ nodeCount: 2, parameterCount: 14, operators: { Dense: 2 } })
  })

  test('may have sizes for its symbols, and stand in model_config as a bare list', async () => {
    const layers = [{ class_name: 'Dense', config: { name: 'a', units: 2, batch_input_shape: [null, 3] } }]
    const topology = { model_config: { class_name: 'Sequential', config: layers }, keras_version: '2' }
    const source = tfjsSource({ topology, weights: denseWeights('a') })
    const graph = await importTfjs(source, { symbols: { batch: 4 } })
    expect(graph.outputs[0]?.value.dims).toEqual([4, 2])
  })

  test.each([
    ['the layer', 'a'],
    ['a model around it', 'outer/a'],
    ['a scope of the exporter', 'scope/of/a'],
  ])('finds weights by the name of %s', async (_what, path) => {
    const graph = await load(layerChain(input, dense('a')), denseWeights(path))
    expect(graph.outputs[0]?.value.dims).toEqual(['batch', 2])
  })

  test('finds weights of cells, and refuses names that several layers could mean', async () => {
    const sequence = ['InputLayer', { name: 'x', batch_input_shape: [null, 4, 3] }] as const
    const names = ['kernel', 'recurrent_kernel', 'bias'] as const
    const shapes = { kernel: [3, 8], recurrent_kernel: [2, 8], bias: [8] }
    const cell = names.map((name) => waveWeight(`a/lstm_cell_7/${name}`, shapes[name]))
    const graph = await load(layerChain(sequence, ['LSTM', { name: 'a', units: 2 }]), cell)
    expect(graph.outputs[0]?.value.dims).toEqual(['batch', 2])
    const ambiguous = [...denseWeights('one/a'), ...denseWeights('two/a')]
    await expect(load(layerChain(input, dense('a')), ambiguous)).rejects.toMatchObject({
      code: 'MODEL_VALUE_UNDEFINED',
    })
  })

  test('may be a graph with a layer that is used twice, in the form of Keras 3 too', async () => {
    const calls = [
      [[['x', 0, 0, {}]], [['a', 0, 0, { training: false }]]],
      [
        { args: [{ class_name: '__keras_tensor__', config: { keras_history: ['x', 0, 0] } }], kwargs: {} },
        {
          args: [{ class_name: '__keras_tensor__', config: { keras_history: ['a', 0, 0] } }],
          kwargs: { mask: null },
        },
      ],
    ]
    for (const inbound of calls) {
      const topology = functional(
        [layer('Dense', 'a', { units: 3 }, inbound), x],
        [
          ['a', 1, 0],
          ['a', 0, 0],
        ],
      )
      const graph = await load(topology, [waveWeight('a/kernel', [3, 3]), waveWeight('a/bias', [3])])
      expect(graph.outputs.map(({ name }) => name)).toEqual(['a', 'a:1'])
      expect(graph.source.nodeCount).toBe(2)
    }
  })

  test('that is not supported names every layer at fault', async () => {
    const inner = {
      class_name: 'Sequential',
      config: { name: 'inner', layers: [{ class_name: 'Lambda', config: { name: 'l' } }] },
    }
    const topology = functional(
      [
        x,
        layer('ConvLSTM2D', 'a', {}, [[['x', 0, 0, {}]]]),
        { ...inner, name: 'inner', inbound_nodes: [[['x', 0, 0, {}]]] },
        layer('Activation', 'c', { activation: 'sparkle' }, [[['x', 0, 0, {}]]]),
        layer('Dense', 'd', {}, [[['x', 0, 0, { initial_state: 1 }]]]),
        layer('Add', 'e', {}, [
          [
            ['a', 0, 0, {}],
            ['c', 0, 0, {}],
          ],
        ]),
      ],
      [
        ['e', 0, 0],
        ['inner', 0, 0],
        ['d', 0, 0],
      ],
    )
    await expect(load(topology)).rejects.toMatchObject({
      code: 'MODEL_OPERATOR_UNSUPPORTED',
      issues: [
        { node: 'c', domain: 'keras', reason: 'activation "sparkle"' },
        { node: 'a', operator: 'ConvLSTM2D', reason: 'the layer is not supported' },
        { node: 'inner/l', operator: 'Lambda' },
        { node: 'd', reason: expect.stringContaining('"initial_state"') },
      ],
    })
  })

  const sequence = ['InputLayer', { name: 'x', batch_input_shape: [null, 4, 3] }] as const
  const image = ['InputLayer', { name: 'x', batch_input_shape: [null, 4, 4, 3] }] as const
  test.each<[string, unknown]>([
    ['a layer that keeps its state', layerChain(sequence, ['LSTM', { name: 'a', units: 2, stateful: true }])],
    [
      'masks',
      layerChain(['Embedding', { name: 'a', input_dim: 3, output_dim: 2, mask_zero: true, input_length: 4 }]),
    ],
    [
      'a wrapped layer that is not recurrent',
      layerChain(sequence, ['Bidirectional', { name: 'a', layer: { class_name: 'Dense', config: {} } }]),
    ],
    ['several axes of normalization', layerChain(image, ['BatchNormalization', { name: 'a', axis: [1, 3] }])],
    [
      'an activation with parameters',
      layerChain(input, [
        'Activation',
        { name: 'a', activation: { class_name: 'ReLU', config: { max_value: 6 } } },
      ]),
    ],
    [
      'a layer that is being trained',
      functional([x, layer('Dropout', 'a', {}, [[['x', 0, 0, { training: true }]]])], [['a', 0, 0]]),
    ],
    [
      'a mask',
      functional([x, layer('Dropout', 'a', {}, [[['x', 0, 0, { mask: ['x', 0, 0] }]]])], [['a', 0, 0]]),
    ],
    ['an unknown padding', layerChain(image, ['MaxPooling2D', { name: 'a', padding: 'causal' }])],
  ])('with %s is not supported', async (_what, topology) => {
    await expect(load(topology)).rejects.toMatchObject({ code: 'MODEL_OPERATOR_UNSUPPORTED' })
  })

  test.each([
    ['joined', {}, ['b']],
    ['apart', { merge_mode: null }, ['b', 'b:1']],
  ])('gives both directions %s where it says %j', async (_what, more, names) => {
    const wrapped = { class_name: 'SimpleRNN', config: { name: 'l', units: 1, use_bias: false } }
    const weights = ['forward', 'backward'].flatMap((way) => [
      waveWeight(`b/${way}_l/kernel`, [3, 1]),
      waveWeight(`b/${way}_l/recurrent_kernel`, [1, 1]),
    ])
    const graph = await load(
      layerChain(sequence, ['Bidirectional', { name: 'b', layer: wrapped, ...more }]),
      weights,
    )
    expect(graph.outputs.map(({ name }) => name)).toEqual(names)
  })

  test('of models within models that are used over and over is refused in time', async () => {
    const level = (depth: number): Record<string, unknown> => {
      const uses = Array.from({ length: 10 }, (_, i) => [[i === 0 ? 'x' : 'm', Math.max(0, i - 1), 0, {}]])
      const inner = depth === 0 ? [] : [{ ...level(depth - 1), name: 'm', inbound_nodes: uses }]
      return functional([x, ...(inner as unknown as TestLayer[])], [depth === 0 ? ['x', 0, 0] : ['m', 9, 0]])
    }
    await expect(load(level(12))).rejects.toMatchObject({ code: 'MODEL_TOO_LARGE' })
  })

  test.each<[string, unknown, string]>([
    ['no layers', layerChain(), 'MODEL_GRAPH_INVALID'],
    ['no shape', layerChain(dense('a')), 'MODEL_SHAPE_UNKNOWN'],
    ['weights that are missing', layerChain(input, dense('a')), 'MODEL_VALUE_UNDEFINED'],
    [
      'layers that wait for one another',
      functional(
        [x, layer('ReLU', 'a', {}, [[['b', 0, 0, {}]]]), layer('ReLU', 'b', {}, [[['a', 0, 0, {}]]])],
        [['a', 0, 0]],
      ),
      'MODEL_GRAPH_CYCLIC',
    ],
    ['two layers of one name', functional([x, x], [['x', 0, 0]]), 'MODEL_NAME_DUPLICATE'],
    ['an output that is missing', functional([x], [['y', 0, 0]]), 'MODEL_VALUE_UNDEFINED'],
    ['a tensor that is missing', functional([x], [['x', 0, 3]]), 'MODEL_VALUE_UNDEFINED'],
    ['an input that is missing', functional([x], [['x', 0, 0]], [['y', 0, 0]]), 'MODEL_VALUE_UNDEFINED'],
    ['references that are none', functional([x], [['x', -1, 0]]), 'MODEL_TFJS_MALFORMED'],
    ['an absurd size', layerChain(input, ['RepeatVector', { name: 'a', n: 2 ** 50 }]), 'MODEL_TOO_LARGE'],
    [
      'a shape that does not fit',
      layerChain(['Reshape', { name: 'a', target_shape: [2, 2], batch_input_shape: [2, 3] }]),
      'MODEL_SHAPE_MISMATCH',
    ],
    [
      'a size that is none',
      layerChain(image, ['MaxPooling2D', { name: 'a', pool_size: 'two' }]),
      'MODEL_GRAPH_INVALID',
    ],
  ])('with %s is refused', async (_what, topology, code) => {
    await expect(load(topology)).rejects.toMatchObject({ code })
  })
})
