// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { missing, repository, sharedDir } from '../support/shared.ts'
import { checkModel } from './check-model.ts'
import { readInventory, type StoredModel } from './inventory.ts'

const bundleDir = join(repository, 'enclave-runtime', 'dist')
const skipped =
  missing('models') ??
  (existsSync(join(bundleDir, 'manifest.json')) ? null : 'skipped: the enclave is not built')

/** Parameters of each model, and the outputs that are stored for it. */
const expected: Readonly<Record<string, readonly [parameterCount: number, outputCount: number]>> = {
  'basic-pitch-tfjs-graph': [184_949, 3],
  'digits-vit': [18_159, 1],
  'doodlenet-tfjs-layers': [544_201, 2],
  'mnist-8': [5994, 3],
  'silero-vad-16k-op15': [309_635, 2],
  'squeezenet1.1-fp32': [1_235_496, 1],
}

describe.skipIf(skipped !== null)(
  `real models, packed and run in an activated enclave ${skipped ?? ''}`,
  () => {
    const inventory = skipped === null ? readInventory(join(sharedDir, 'models')) : []

    test('all that are stored are known here', () => {
      expect(inventory.map((it) => it.name)).toEqual(Object.keys(expected))
    })

    test('one that cannot be packed fails with the reason, also in the format of TensorFlow.js', async () => {
      const stored = inventory.find((it) => it.name === 'basic-pitch-tfjs-graph') as StoredModel
      const folder = await mkdtemp(join(tmpdir(), 'mlcapsule-models-'))
      onTestFinished(() => rm(folder, { recursive: true }))
      const [path, shard] = [join(folder, 'model.json'), 'group1-shard1of1.bin']
      await copyFile(join(dirname(stored.path), shard), join(folder, shard))
      await writeFile(path, (await readFile(stored.path, 'utf8')).replaceAll('"Conv2D"', '"NoSuchOperator"'))
      await expect(checkModel({ ...stored, path }, { entry: 'process', bundleDir })).rejects.toMatchObject({
        code: 'MODEL_OPERATOR_UNSUPPORTED',
      })
    })

    test.each(inventory)(
      '$name gives its stored outputs, in a process',
      async (stored) => {
        const result = await checkModel(stored, { entry: 'process', bundleDir })
        expect([result.detail, result.parameterCount, result.comparedCount]).toEqual([
          '',
          ...(expected[stored.name] ?? []),
        ])
      },
      60_000,
    )

    const ofEachFormat = inventory.filter((it) => /mnist|doodlenet|silero/.test(it.name))
    test.each(ofEachFormat)(
      '$name gives its stored outputs, in a worker',
      async (stored) => {
        const result = await checkModel(stored, { entry: 'worker', bundleDir })
        expect([result.kernels, result.detail]).toEqual(['wasm', ''])
      },
      60_000,
    )
  },
)
