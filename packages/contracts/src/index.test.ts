// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import * as contracts from './index.ts'

test('the public surface is this list', () => {
  expect(Object.keys(contracts).sort()).toEqual([
    'ContractError',
    'MlCapsuleError',
    'assertTensor',
    'classDimension',
    'contractErrorTable',
    'copyBytes',
    'createRegistry',
    'defineErrorTable',
    'dtypes',
    'elementCount',
    'elementSizeBytes',
    'exitCodeFor',
    'float16Value',
    'isMlCapsuleError',
    'isTensorDataOf',
    'isolationTiers',
    'maxRank',
    'releaseMemory',
    'seededRandom',
    'viewTensorData',
  ])
})
