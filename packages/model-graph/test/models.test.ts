// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compileGraph, importOnnx } from '../src/index.ts'
import { fileModelSource } from '../src/node/index.ts'
import { missing, sharedDir } from './shared.ts'

async function load(path: string) {
  const source = await fileModelSource(join(sharedDir, path))
  return { source, model: await compileGraph(await importOnnx(source)) }
}

const skipped = missing('models') ?? missing('onnx-conformance')

describe.skipIf(skipped !== null)(`real models ${skipped ?? ''}`, () => {
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
})
