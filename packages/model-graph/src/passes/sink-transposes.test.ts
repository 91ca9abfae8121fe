// SPDX-License-Identifier: Apache-2.0
import { decodeProgram } from '@mlcapsule/inference-kernels/program'
import { describe, expect, test } from 'vitest'
import { compileGraph, importTfjs } from '../index.ts'
import { layerChain, tfjsSource, waveWeight } from '../testing/index.ts'

const image = ['InputLayer', { name: 'x', batch_input_shape: [null, 6, 5, 3] }] as const
const conv = (name: string, more: Readonly<Record<string, unknown>> = {}) =>
  ['Conv2D', { name, filters: 3, kernel_size: 3, padding: 'same', ...more }] as const
const convWeights = (name: string) => [
  waveWeight(`${name}/kernel`, [3, 3, 3, 3]),
  waveWeight(`${name}/bias`, [3]),
]
const normWeights = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) =>
  waveWeight(`n/${name}`, [3], 0.5),
)

async function steps(
  topology: unknown,
  weights = [...convWeights('a'), ...convWeights('b'), ...normWeights],
) {
  const { program } = await compileGraph(await importTfjs(tfjsSource({ topology, weights })))
  return decodeProgram(program).steps.map((step) => (step.op === 'operator' ? step.operator : step.op))
}

describe('transposes of a model with channels last', () => {
  test('cancel around activations and normalizations, which go into the convolutions', async () => {
    const chain = layerChain(
      image,
      conv('a', { activation: 'relu' }),
      conv('b', { use_bias: false }),
      ['BatchNormalization', { name: 'n' }],
      ['LeakyReLU', { name: 'l' }],
      ['GlobalAveragePooling2D', { name: 'g' }],
    )
    expect(await steps(chain)).toEqual(['conv2d', 'conv2d', 'pool2d'])
  })

  test('cancel around sums, also with an operand that has a channel vector only', async () => {
    const uses = (...names: string[]) => [names.map((name) => [name, 0, 0, {}])]
    const layer = (
      [class_name, config]: readonly [string, { readonly name: string }],
      ...inputs: string[]
    ) => ({
      class_name,
      name: config.name,
      config,
      inbound_nodes: inputs.length === 0 ? [] : uses(...inputs),
    })
    const layers = [
      layer(image),
      layer(conv('a', { activation: 'relu' }), 'x'),
      layer(conv('b'), 'a'),
      layer(['Add', { name: 's' }], 'b', 'a'),
      layer(['ReLU', { name: 'r' }], 's'),
      layer(['GlobalAveragePooling2D', { name: 'g', keepdims: true } as { name: string }], 'r'),
      layer(['Activation', { name: 'h', activation: 'sigmoid' } as { name: string }], 'g'),
      layer(['Multiply', { name: 'm' }], 'r', 'h'),
      layer(['MaxPooling2D', { name: 'p' }], 'm'),
    ]
    const config = { name: 'm', layers, input_layers: [['x', 0, 0]], output_layers: [['p', 0, 0]] }
    expect(await steps({ class_name: 'Functional', config })).toEqual([
      'conv2d',
      'conv2d',
      'pool2d',
      'unary',
      'binary',
      'pool2d',
    ])
  })

  test('stay where something else needs them, once', async () => {
    const sequence = ['InputLayer', { name: 'x', batch_input_shape: [null, 4, 3] }] as const
    const chain = layerChain(
      sequence,
      ['Permute', { name: 'p', dims: [2, 1] }],
      ['Softmax', { name: 's' }],
      ['Activation', { name: 'a', activation: 'tanh' }],
    )
    expect(await steps(chain, [])).toEqual(['transpose', 'softmax', 'unary'])
  })
})
