// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@mlcapsule/contracts'
import { decodeProgram } from '@mlcapsule/inference-kernels/program'
import { compileGraph, importOnnx, memoryModelSource } from '@mlcapsule/model-graph'
import { randomFloats } from '@mlcapsule/model-graph/testing'
import { expect, test } from 'vitest'
import { wasm } from '../engines/ours.ts'
import { toOnnx } from '../forms/onnx.ts'
import { toQdqOnnx } from '../forms/qdq-onnx.ts'
import { networks } from './index.ts'

/** Parameters in millions and multiplications in millions, as the papers or their authors' code have them. */
const known: Readonly<Record<string, readonly [parameters: number, macs: number]>> = {
  vgg16: [138.36, 15_470],
  resnet50: [25.53, 4_089],
  'resnet50-int8': [25.53, 4_089],
  mobilenetv1: [4.22, 569],
  mobilenetv2: [3.49, 301],
  lenet: [0.0617, 0.417],
  transformer: [7.09, 931],
}

test('there is a figure for every network', () => {
  expect(Object.keys(known)).toEqual(Object.keys(networks))
})

test.each(Object.keys(known))('%s has the size that it is known for', (name) => {
  const network = networks[name]?.()
  const [parameters, macs] = known[name] as readonly [number, number]
  expect((network?.parameterCount ?? 0) / 1e6 / parameters).toBeCloseTo(1, 2)
  expect((network?.macCount ?? 0) / 1e6 / macs).toBeCloseTo(1, 2)
})

// VGG-16 would take gigabytes for a moment.
test.each(['resnet50', 'mobilenetv2', 'lenet', 'transformer'])(
  '%s compiles with all of its parameters',
  async (name) => {
    const network = networks[name]?.()
    if (network === undefined) throw new Error(`no network ${name}`)
    const { summary } = await compileGraph(await importOnnx(memoryModelSource(toOnnx(network))))
    // Bounds of activations and scales of attention are constants too.
    expect(summary.parameterCount).toBeGreaterThanOrEqual(network.parameterCount)
    expect(summary.parameterCount - network.parameterCount).toBeLessThan(10)
  },
)

test('in 8 bits all products are on bytes', async () => {
  const network = networks['resnet50-int8']?.()
  if (network === undefined) throw new Error('no resnet50-int8')
  const ranges = new Map(
    ['input', ...network.layers.map(({ output }) => output)].map((name) => [name, { least: -1, most: 1 }]),
  )
  const graph = await importOnnx(memoryModelSource(toQdqOnnx(network, ranges)))
  const { steps } = decodeProgram((await compileGraph(graph)).program)
  const count = (wanted: string) => steps.filter(({ op }) => op === wanted).length
  expect(count('quantizedConv2d')).toBe(53)
  expect(count('quantizedDense')).toBe(1)
  expect(count('conv2d') + count('dense') + count('quantizedAdd') + count('operator')).toBe(0)
})

test('probabilities come out, from the same numbers each time', async () => {
  const network = networks.lenet?.()
  if (network === undefined) throw new Error('no lenet')
  const loaded = await wasm.load(network, 1)
  const input = loaded.arrange(randomFloats(seededRandom(7), 28 * 28))
  const answer = await loaded.run(input)
  expect(answer).toHaveLength(10)
  expect(answer.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5)
  expect(await loaded.run(input)).toEqual(answer)
  await loaded.close()
})
