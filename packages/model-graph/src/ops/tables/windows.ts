// SPDX-License-Identifier: Apache-2.0
import { importConv } from '../convolution.ts'
import { importAveragePool, importGlobalPool, importMaxPool } from '../pooling.ts'
import { define, type OperatorDefinition } from './define.ts'

const constantWeights = 'weights constant; one or two spatial dimensions'
const oneOutput = 'first output only'
export const windowImporters: Readonly<Record<string, OperatorDefinition>> = {
  AveragePool: define(importAveragePool, 'one or two spatial dimensions'),
  Conv: define(importConv, constantWeights),
  GlobalAveragePool: define(importGlobalPool('average'), 'one or two spatial dimensions'),
  GlobalMaxPool: define(importGlobalPool('max'), 'one or two spatial dimensions'),
  MaxPool: define(importMaxPool, `one or two spatial dimensions; ${oneOutput}`),
}
