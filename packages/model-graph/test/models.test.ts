// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '@mlcapsule/contracts'
import { wasmKernels } from '@mlcapsule/inference-kernels/wasm'
import { describe, expect, test } from 'vitest'
import { compileGraph, importOnnx } from '../src/index.ts'
import { fileModelSource } from '../src/node/index.ts'
import { difference, readTensors, runCompiled } from './run-model.ts'
import { missing, sharedDir } from './shared.ts'

async function load(path: string) {
  const source = await fileModelSource(join(sharedDir, path))
  return { source, model: await compileGraph(await importOnnx(source)) }
}

/** Element i of N is i / N: what the large graphs without stored input are fed. */
function ramp(shape: readonly number[]): Tensor {
  const count = shape.reduce((product, dim) => product * dim, 1)
  return { dtype: 'float32', shape, data: Float32Array.from({ length: count }, (_, i) => i / count) }
}

const skipped = missing('models') ?? missing('onnx-conformance')

describe.skipIf(skipped !== null)(`real models ${skipped ?? ''}`, () => {
  test.each(['mnist-8', 'squeezenet1.1-fp32', 'digits-vit'])('%s gives its stored outputs', async (name) => {
    const { source, model } = await load(`models/${name}/model.onnx`)
    const sets = readdirSync(join(sharedDir, 'models', name)).filter((it) => it.startsWith('test_data_set_'))
    expect(sets.length).toBeGreaterThan(0)
    for (const set of sets) {
      const folder = join(sharedDir, 'models', name, set)
      const inputs = (await readTensors(folder, 'input', model.inputs.length)) as Tensor[]
      const expected = (await readTensors(folder, 'output', model.outputs.length)) as Tensor[]
      const actual = await runCompiled(model, inputs, wasmKernels)
      for (const [i, tensor] of actual.entries()) {
        expect(difference(tensor, expected[i] as Tensor, { relative: 1e-3, absolute: 1e-5 })).toBeNull()
      }
    }
    await source.close()
  })

  test('MNIST-8 becomes six steps', async () => {
    const { source, model } = await load('models/mnist-8/model.onnx')
    expect(model.summary).toMatchObject({
      nodeCount: 12,
      stepCount: 6,
      parameterCount: 5994,
      macCount: 28 * 28 * 8 * 25 + 14 * 14 * 16 * 8 * 25 + 2560,
      operators: { Conv: 2, Add: 3, Relu: 2, MaxPool: 2, Reshape: 2, MatMul: 1 },
    })
    await source.close()
  })

  test.each([
    ['light_squeezenet', { parameterCount: 1_235_496 }],
    ['light_resnet50', { parameterCount: 25_610_152 }],
    ['light_vgg19', { parameterCount: 143_667_240 }],
  ])('%s compiles to one step per layer', async (name, figures) => {
    const { source, model } = await load(`onnx-conformance/light/${name}/model.onnx`)
    expect(model.summary).toMatchObject(figures)
    expect(model.summary).toMatchSnapshot()
    await source.close()
  })

  const large = ['light_squeezenet', 'light_resnet50', 'light_vgg19']
  test.each(large)('%s gives its stored outputs', { timeout: 180_000 }, async (name) => {
    const { source, model } = await load(`onnx-conformance/light/${name}/model.onnx`)
    const folder = join(sharedDir, `onnx-conformance/light/${name}/test_data_set_0`)
    const [expected] = (await readTensors(folder, 'output', 1)) as [Tensor]
    const [actual] = await runCompiled(model, [ramp([1, 3, 224, 224])], wasmKernels)
    expect(difference(actual as Tensor, expected, { relative: 1e-3, absolute: 1e-7 })).toBeNull()
    await source.close()
  })
})
