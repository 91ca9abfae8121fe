// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@mlcapsule/contracts'
import { createSession } from '@mlcapsule/inference-kernels'
import { decodeProgram } from '@mlcapsule/inference-kernels/program'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { describe, expect, test } from 'vitest'
import { importOnnx } from '../onnx/import.ts'
import { memoryModelSource } from '../source/model-source.ts'
import { buildModel, randomFloats } from '../testing/index.ts'
import { compileGraph } from './compile.ts'
import type { StateOption } from './states.ts'

type Dims = readonly (number | string)[]

/** Each output is the sum of x and the input in the same place. */
async function compiled(
  pairs: readonly (readonly [input: string, dims: Dims, output: string])[],
  states?: StateOption,
) {
  const model = buildModel({
    inputs: { x: [1, 4], ...Object.fromEntries(pairs.map(([name, dims]) => [name, dims])) },
    outputs: { y: [1, 4], ...Object.fromEntries(pairs.map(([, , name]) => [name, null])) },
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['y'] },
      ...pairs.map(([input, , output]) => ({ op: 'Add', inputs: ['x', input], outputs: [output] })),
    ],
  })
  const graph = await importOnnx(memoryModelSource(model))
  return await compileGraph(graph, states === undefined ? {} : { states })
}

const names = (specs: readonly { readonly name: string }[]) => specs.map(({ name }) => name)

describe('states by their names', () => {
  test.each([
    ['past_key_values.0.key', 'present.0.key'],
    ['past_key_values.11.value', 'present_key_values.11.value'],
    ['past_key_values.0.decoder.key', 'present.0.decoder.key'],
    ['past_3', 'present_3'],
    ['past.2.key', 'present.2.key'],
    ['past_key_1', 'present_key_1'],
    ['state', 'stateN'],
    ['h', 'hn'],
    ['h_0', 'h_n'],
    ['c0', 'cn'],
    ['encoder.hidden_in', 'encoder.hidden_out'],
  ])('%s and %s', async (input, output) => {
    const { summary, inputs, outputs } = await compiled([[input, [1, 4], output]], 'auto')
    expect(summary.states).toEqual([{ input, output }])
    expect(names(inputs)).toEqual(['x'])
    expect(names(outputs)).toEqual(['y'])
  })

  test.each([
    ['an input and its answer', 'image', 'imagen'],
    ['another layer', 'past_1', 'present_2'],
    ['the same name in another form', 'past_1', 'past_1_out'],
  ])('not %s', async (_what, input, output) => {
    const { summary, inputs } = await compiled([[input, [1, 4], output]], 'auto')
    expect(summary.states).toEqual([])
    expect(names(inputs)).toEqual(['x', input])
  })

  test('not where sizes differ, or where two could be meant', async () => {
    expect((await compiled([['h', [4], 'hn']], 'auto')).summary.states).toEqual([])
    const both = await compiled(
      [
        ['h', [1, 4], 'hn'],
        ['h0', [1, 4], 'h_n'],
      ],
      'auto',
    )
    expect(both.summary.states).toEqual([])
  })

  test('not unless it is asked for', async () => {
    expect((await compiled([['h', [1, 4], 'hn']])).summary.states).toEqual([])
    expect((await compiled([['h', [1, 4], 'hn']], 'none')).summary.states).toEqual([])
  })
})

test('states that are named are carried from query to query', async () => {
  const { program, weights } = await compiled(
    [['before', [1, 4], 'after']],
    [{ input: 'before', output: 'after' }],
  )
  expect(decodeProgram(program).states).toHaveLength(1)
  const session = await createSession({
    kernels: referenceKernels,
    program,
    weights: new Uint8Array(weights.sizeBytes),
  })
  const state = session.createState()
  const x = { dtype: 'float32', shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) } as const
  expect([...session.run(new Map([['x', x]]), { state }).keys()]).toEqual(['y'])
  state.commit()
  expect(state.sizeBytes).toBe(16)
  session.dispose()
})

test('a recurrent layer goes on step by step as it would over the whole series', async () => {
  const [width, hidden, length] = [3, 5, 8]
  const random = seededRandom(11)
  const constant = (...dims: number[]) => ({
    dims,
    data: randomFloats(
      random,
      dims.reduce((product, dim) => product * dim, 1),
      0.5,
    ),
  })
  const model = buildModel({
    inputs: { x: ['length', 1, width], h: [1, 1, hidden], c: [1, 1, hidden] },
    outputs: { y: null, hn: null, cn: null },
    constants: {
      w: constant(1, 4 * hidden, width),
      r: constant(1, 4 * hidden, hidden),
      b: constant(1, 8 * hidden),
    },
    nodes: [
      {
        op: 'LSTM',
        inputs: ['x', 'w', 'r', 'b', '', 'h', 'c'],
        outputs: ['y', 'hn', 'cn'],
        attributes: { hidden_size: hidden },
      },
    ],
  })
  const graph = await importOnnx(memoryModelSource(model))
  const { program, weights, summary } = await compileGraph(graph, { states: 'auto' })
  expect(summary.states).toEqual([
    { input: 'h', output: 'hn' },
    { input: 'c', output: 'cn' },
  ])
  const chunks = []
  for await (const chunk of weights.chunks()) chunks.push(...chunk)
  const session = await createSession({
    kernels: referenceKernels,
    program,
    weights: Uint8Array.from(chunks),
  })
  const series = randomFloats(random, length * width)
  const ask = (data: Float32Array, options = {}) => {
    const x = { dtype: 'float32', shape: [data.length / width, 1, width], data } as const
    return session.run(new Map([['x', x]]), options).get('y')?.data as Float32Array
  }
  const whole = ask(series)
  expect(whole.length).toBe(length * hidden)
  const state = session.createState()
  for (let step = 0; step < length; step++) {
    const found = ask(series.slice(step * width, (step + 1) * width), { state })
    state.commit()
    for (let i = 0; i < hidden; i++) expect(found[i]).toBeCloseTo(whole[step * hidden + i] as number, 6)
  }
  expect(state.sizeBytes).toBe(2 * hidden * 4)
  session.dispose()
})

test.each([
  ['an input that is not there', [{ input: 'z', output: 'hn' }]],
  ['an output that is not there', [{ input: 'h', output: 'z' }]],
  ['a pair that does not go together', [{ input: 'small', output: 'hn' }]],
  [
    'an output twice',
    [
      { input: 'h', output: 'hn' },
      { input: 'x', output: 'hn' },
    ],
  ],
])('refuses %s', async (_what, states) => {
  const pairs = [
    ['h', [1, 4], 'hn'],
    ['small', [1, 1], 'smalln'],
  ] as const
  await expect(compiled(pairs, states)).rejects.toMatchObject({
    code: 'MODEL_STATE_INVALID',
    field: 'states',
  })
})

test('refuses to leave no answer', async () => {
  const states = [
    { input: 'h', output: 'y' },
    { input: 'x', output: 'hn' },
  ]
  await expect(compiled([['h', [1, 4], 'hn']], states)).rejects.toMatchObject({ code: 'MODEL_STATE_INVALID' })
})
