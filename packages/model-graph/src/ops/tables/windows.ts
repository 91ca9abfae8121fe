// SPDX-License-Identifier: Apache-2.0
import { importConv } from '../convolution.ts'
import { importOperator } from '../generic.ts'
import { importAveragePool, importGlobalPool, importMaxPool } from '../pooling.ts'
import { importResize, importUpsample } from '../resize.ts'
import { importGridSample, importRoiAlign } from '../sampling.ts'
import { importConvTranspose } from '../transposed-convolution.ts'
import { define, type OperatorDefinition } from './define.ts'

const spatial = 'up to three spatial dimensions'
export const windowImporters: Readonly<Record<string, OperatorDefinition>> = {
  AffineGrid: define(importOperator(), '', 20),
  AveragePool: define(importAveragePool, spatial),
  Col2Im: define(importOperator(), spatial, 18),
  Conv: define(importConv, spatial),
  ConvInteger: define(importOperator(), spatial, 10),
  ConvTranspose: define(importConvTranspose, spatial),
  DeformConv: define(importOperator(), 'two spatial dimensions', 19),
  GlobalAveragePool: define(importGlobalPool('average')),
  GlobalLpPool: define(importOperator()),
  GlobalMaxPool: define(importGlobalPool('max')),
  GridSample: define(importGridSample, spatial, 16),
  LpPool: define(importOperator(), spatial),
  MaxPool: define(importMaxPool, spatial),
  MaxRoiPool: define(importOperator()),
  MaxUnpool: define(importOperator(), spatial, 9),
  NonMaxSuppression: define(importOperator(), '', 10),
  QLinearConv: define(importOperator(), spatial, 10),
  Resize: define(importResize, '', 10),
  RoiAlign: define(importRoiAlign, '', 10),
  Upsample: define(importUpsample, '', 7),
}
