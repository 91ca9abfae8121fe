// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMlCapsuleError } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileGraph, importTfjs, memoryModelSource } from '../src/index.ts'
import { layerChain, tfjsFiles, waveWeight } from '../src/testing/index.ts'

async function compile(model: unknown, shards: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const source = memoryModelSource(new TextEncoder().encode(JSON.stringify(model)), shards)
  const { weights } = await compileGraph(await importTfjs(source))
  // Packing must work to the end, but a model that claims gigabytes is not followed there.
  if (weights.sizeBytes < 2 ** 22) for await (const _ of weights.chunks());
}

const chain = tfjsFiles({
  topology: layerChain(
    ['InputLayer', { name: 'x', batch_input_shape: [null, 6, 4, 2] }],
    [
      'Conv2D',
      { name: 'a', filters: 2, kernel_size: [3, 2], strides: [1, 1], padding: 'same', activation: 'relu' },
    ],
    ['BatchNormalization', { name: 'n', axis: 3, epsilon: 0.001, scale: true, center: true }],
    [
      'ZeroPadding2D',
      {
        name: 'z',
        padding: [
          [1, 0],
          [0, 1],
        ],
      },
    ],
    ['MaxPooling2D', { name: 'm', pool_size: [2, 2], strides: [2, 2], padding: 'valid' }],
    ['Reshape', { name: 'r', target_shape: [3, 4] }],
    [
      'Bidirectional',
      { name: 'w', merge_mode: 'concat', layer: { class_name: 'LSTM', config: { name: 'l', units: 1 } } },
    ],
    ['Dense', { name: 'd', units: 2, use_bias: true, activation: 'softmax' }],
  ),
  weights: [
    waveWeight('a/kernel', [3, 2, 2, 2]),
    waveWeight('a/bias', [2]),
    ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) => waveWeight(`n/${name}`, [2])),
    ...['forward', 'backward'].flatMap((way) => [
      waveWeight(`w/${way}_l/kernel`, [4, 4]),
      waveWeight(`w/${way}_l/recurrent_kernel`, [1, 4]),
      waveWeight(`w/${way}_l/bias`, [4]),
    ]),
    waveWeight('d/kernel', [2, 2]),
    waveWeight('d/bias', [2]),
  ],
})

/** Every node that there are expected values for, in one graph. */
function manyNodes() {
  const { graph } = JSON.parse(readFileSync(join(import.meta.dirname, 'tfjs-expected.json'), 'utf8')) as {
    graph: {
      op: string
      attr: object
      inputs: { shape: number[]; dtype: string; data?: number[]; constant?: true }[]
    }[]
  }
  const types: Record<string, string> = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' }
  const weights: Parameters<typeof tfjsFiles>[0]['weights'] = graph.flatMap(({ inputs }, i) =>
    inputs.flatMap(({ shape, dtype, data, constant }, j) => {
      if (!constant) return []
      const name = `in${i}_${j}`
      const wave = waveWeight(name, shape)
      if (data === undefined) return [wave]
      return [
        { name, shape, dtype, data: dtype === 'float32' ? Float32Array.from(data) : Int32Array.from(data) },
      ]
    }),
  )
  const node = graph.flatMap(({ op, attr, inputs }, i) => [
    ...inputs.map(({ shape, dtype, constant }, j) => ({
      name: `in${i}_${j}`,
      op: constant ? 'Const' : 'Placeholder',
      attr: { dtype: { type: types[dtype] }, shape: { shape: { dim: shape.map((size) => ({ size })) } } },
    })),
    { name: `y${i}`, op, input: inputs.map((_, j) => `in${i}_${j}`), attr },
  ])
  return tfjsFiles({ topology: { node }, weights })
}

const nodes = manyNodes()

test('the models that are changed below are good ones', async () => {
  for (const { model, shards } of [chain, nodes]) {
    await expect(compile(JSON.parse(new TextDecoder().decode(model)), shards)).resolves.toBeUndefined()
  }
})

type Place = { holder: Record<string, unknown>; key: string }

/** Every place of a value within a JSON value. */
function placesOf(value: unknown, places: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return places
  for (const key of Object.keys(value)) {
    places.push({ holder: value as Record<string, unknown>, key })
    placesOf((value as Record<string, unknown>)[key], places)
  }
  return places
}

const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    -1,
    0,
    1,
    2,
    3,
    7,
    64,
    2 ** 31,
    2 ** 53,
    1e300,
    -0.5,
    '',
    'x',
    'same',
    '-1',
    true,
    [],
    {},
  ),
  fc.constantFrom<unknown>([0], [-1, 2], [1, 2, 3, 4], [[1]], new Array(9).fill(1), {
    list: { i: ['9', '9'] },
  }),
  fc.jsonValue({ maxDepth: 2 }),
)

test.each([
  ['layers', chain],
  ['nodes', nodes],
])(
  'a model of %s with anything in the place of a value gives a graph or an error with a code',
  async (_what, files) => {
    const text = new TextDecoder().decode(files.model)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), strange), { minLength: 1, maxLength: 3 }),
        async (changes) => {
          const model = JSON.parse(text) as unknown
          for (const [at, value] of changes) {
            const places = placesOf(model)
            const place = places[at % places.length]
            if (place !== undefined) place.holder[place.key] = structuredClone(value)
          }
          try {
            await compile(model, files.shards)
          } catch (error) {
            if (!isMlCapsuleError(error)) throw error
          }
        },
      ),
      { numRuns: 300 },
    )
  },
)
