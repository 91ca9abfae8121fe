// SPDX-License-Identifier: Apache-2.0
import { importGemm, importMatMul } from '../linear.ts'
import { importBatchNormalization, importLayerNormalization } from '../normalization.ts'
import { define, type OperatorDefinition } from './define.ts'

const oneOutput = 'first output only'
export const productImporters: Readonly<Record<string, OperatorDefinition>> = {
  BatchNormalization: define(importBatchNormalization, 'inference, parameters constant'),
  Gemm: define(importGemm),
  LayerNormalization: define(importLayerNormalization, oneOutput, 17),
  MatMul: define(importMatMul),
}
