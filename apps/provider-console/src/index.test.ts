// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import * as provider from './index.ts'

test('the public surface', () => {
  expect(Object.keys(provider).sort()).toEqual([
    'ProviderError',
    'builtInDefenses',
    'createApp',
    'makeKeys',
    'openProvider',
    'packCapsule',
    'parseDefense',
    'parseLabels',
    'parsePreprocessing',
    'preprocessingPresets',
    'providerErrorTable',
    'readLabels',
    'readPreprocessing',
    'readPublicKey',
    'serveProvider',
    'storePaths',
    'withCompiledModel',
    'withProvider',
  ])
})
