// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '@mlcapsule/contracts'
import { decodeProgram } from '@mlcapsule/inference-kernels/program'
import { wasmKernels } from '@mlcapsule/inference-kernels/wasm'
import { describe, expect, test } from 'vitest'
import { compileGraph, importTfjs } from '../src/index.ts'
import { fileModelSource } from '../src/node/index.ts'
import { difference, runCompiled } from './run-model.ts'
import { missing, sharedDir } from './shared.ts'

interface StoredTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly file: string
}

function readStored(folder: string, { shape, file }: StoredTensor): Tensor {
  const bytes = readFileSync(join(folder, file))
  return { dtype: 'float32', shape, data: new Float32Array(new Uint8Array(bytes).buffer) }
}

async function load(name: string) {
  const source = await fileModelSource(join(sharedDir, 'models', name, 'model.json'))
  return { source, model: await compileGraph(await importTfjs(source)) }
}

const names = ['doodlenet-tfjs-layers', 'basic-pitch-tfjs-graph']
const skipped = missing('models/doodlenet-tfjs-layers') ?? missing('models/basic-pitch-tfjs-graph')

describe.skipIf(skipped !== null)(`models of TensorFlow.js ${skipped ?? ''}`, () => {
  test.each(names)('%s gives its stored outputs', { timeout: 120_000 }, async (name) => {
    const { source, model } = await load(name)
    const folder = join(sharedDir, 'models', name)
    const samples = readdirSync(folder).filter((it) => it.startsWith('sample_'))
    expect(samples.length).toBeGreaterThan(0)
    for (const sample of samples) {
      const at = join(folder, sample)
      const { inputs, outputs } = JSON.parse(readFileSync(join(at, 'sample.json'), 'utf8')) as {
        inputs: StoredTensor[]
        outputs: StoredTensor[]
      }
      expect(model.inputs.map((it) => it.name)).toEqual(inputs.map((it) => it.name))
      const actual = await runCompiled(
        model,
        inputs.map((it) => readStored(at, it)),
        wasmKernels,
      )
      expect(actual).toHaveLength(outputs.length)
      for (const [i, output] of outputs.entries()) {
        const expected = readStored(at, output)
        const off = difference(actual[i] as Tensor, expected, { relative: 1e-3, absolute: 1e-5 })
        expect(off).toBeNull()
      }
    }
    await source.close()
  })

  async function stepCounts(name: string) {
    const { source, model } = await load(name)
    await source.close()
    const counts: Record<string, number> = {}
    for (const step of decodeProgram(model.program).steps) {
      const kind = step.op === 'operator' ? step.operator : step.op
      counts[kind] = (counts[kind] ?? 0) + 1
    }
    return { counts, model }
  }

  test('doodlenet becomes one step per layer: no byte is moved for the sake of layout', async () => {
    const { counts, model } = await stepCounts('doodlenet-tfjs-layers')
    expect(counts).toEqual({ conv2d: 6, pool2d: 3, dense: 2, softmax: 1 })
    expect(model.summary).toMatchObject({ nodeCount: 13, parameterCount: 544_201, macCount: 7_809_792 })
    expect(model.inputs).toEqual([{ name: 'conv2d_input', dtype: 'float32', shape: ['batch', 28, 28, 1] }])
    expect(model.outputs).toEqual([{ name: 'dense_1', dtype: 'float32', shape: ['batch', 345] }])
  })

  test('basic-pitch keeps fewer transposes than the model has itself', async () => {
    const { counts, model } = await stepCounts('basic-pitch-tfjs-graph')
    expect(model.summary.operators).toMatchObject({ Conv2D: 26, _FusedConv2D: 6, Transpose: 53 })
    expect(counts).toMatchObject({ conv2d: 32, transpose: 19 })
    expect(model.outputs.map(({ name }) => name)).toEqual(['Identity', 'Identity_1', 'Identity_2'])
  })
})
