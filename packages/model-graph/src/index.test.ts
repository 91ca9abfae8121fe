// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import * as surface from './index.ts'
import * as node from './node/index.ts'
import * as testing from './testing/index.ts'

test('the public surface', () => {
  expect(Object.keys(surface).sort()).toEqual([
    'ModelError',
    'compileGraph',
    'decodeTensorProto',
    'importModel',
    'importOnnx',
    'importTfjs',
    'inspectModel',
    'isSupportedOperator',
    'leastMemoryBudget',
    'maximumOpset',
    'memoryModelSource',
    'minimumOpset',
    'modelErrorTable',
    'modelFormatOf',
    'modelLimits',
    'operators',
  ])
  expect(Object.keys(node)).toEqual(['fileModelSource'])
  expect(Object.keys(testing).sort()).toEqual([
    'buildModel',
    'compareTensors',
    'graphInit',
    'layerChain',
    'randomFloats',
    'runCompiled',
    'testNode',
    'tfjsFiles',
    'tfjsSource',
    'tinyModel',
    'virtualModelSource',
    'waveValues',
    'waveWeight',
  ])
})

test('the table of operators in the README is that of the registry', () => {
  const tool = join(dirname(fileURLToPath(import.meta.url)), '../tools/generate-operator-table.mjs')
  execFileSync(process.execPath, ['--conditions=@mlcapsule/source', tool, '--check'])
})

test('the same tiny model comes of the same seed', () => {
  const { tinyModel } = testing
  expect(tinyModel({ kind: 'cnn', seed: 3 })).toEqual(tinyModel({ kind: 'cnn', seed: 3 }))
  expect(tinyModel({ kind: 'cnn', seed: 3 })).not.toEqual(tinyModel({ kind: 'cnn', seed: 4 }))
})
