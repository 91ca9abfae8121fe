// SPDX-License-Identifier: Apache-2.0
import { importConv } from '../convolution.ts'
import { importOperator } from '../generic.ts'
import { importAveragePool, importGlobalPool, importMaxPool } from '../pooling.ts'
import { importResize, importUpsample } from '../resize.ts'
import { define, type OperatorDefinition } from './define.ts'

const spatial = 'up to three spatial dimensions'
export const windowImporters: Readonly<Record<string, OperatorDefinition>> = {
  AveragePool: define(importAveragePool, spatial),
  Conv: define(importConv, spatial),
  ConvInteger: define(importOperator(), spatial, 10),
  ConvTranspose: define(importOperator(), spatial),
  GlobalAveragePool: define(importGlobalPool('average')),
  GlobalLpPool: define(importOperator()),
  GlobalMaxPool: define(importGlobalPool('max')),
  LpPool: define(importOperator(), spatial),
  MaxPool: define(importMaxPool, spatial),
  QLinearConv: define(importOperator(), spatial, 10),
  Resize: define(importResize, '', 10),
  Upsample: define(importUpsample, '', 7),
}
