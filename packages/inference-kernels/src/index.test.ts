// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import * as publicNames from './index.ts'
import * as programNames from './program/index.ts'

test('the public surface', () => {
  expect(Object.keys(publicNames).sort()).toEqual([
    'KernelError',
    'abiVersion',
    'alignmentBytes',
    'assertRecords',
    'checkRecord',
    'createSession',
    'enumNumber',
    'fieldOfWord',
    'kernelErrorTable',
    'makeRecord',
    'panelWidth',
    'planCourses',
    'planProgram',
    'readRecord',
    'recordError',
    'recordListError',
    'recordWordCount',
    'smallestBudget',
    'writeRecord',
  ])
  expect(Object.keys(programNames).sort()).toEqual([
    'OperatorFault',
    'broadcastDims',
    'completeAttributes',
    'convertElements',
    'decodeProgram',
    'encodeProgram',
    'extentOf',
    'inputDims',
    'operatorNames',
    'operatorOf',
    'packDepthwise16',
    'packPanelFromColumns',
    'packPanelFromRows',
    'packPanels16',
    'packQuantizedPanel',
    'packedSizeBytes',
    'panelCount',
    'panelSizeBytes',
    'planProgram',
    'programLimits',
    'recurrentActivations',
    'sliceRange',
    'stepInputs',
    'transposedAxes',
    'validateProgram',
    'windowAxes',
  ])
})
