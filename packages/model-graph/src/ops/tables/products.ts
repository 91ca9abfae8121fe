// SPDX-License-Identifier: Apache-2.0
import { importAttention } from '../attention.ts'
import { importEinsum } from '../einsum.ts'
import { importOperator } from '../generic.ts'
import { importGemm, importMatMul } from '../linear.ts'
import {
  importBatchNormalization,
  importLayerNormalization,
  importStashedNormalization,
} from '../normalization.ts'
import { importRecurrent } from '../recurrent.ts'
import { define, type OperatorDefinition } from './define.ts'

export const productImporters: Readonly<Record<string, OperatorDefinition>> = {
  Attention: define(importAttention, '', 23),
  BatchNormalization: define(importBatchNormalization, 'inference'),
  Det: define(importOperator(), '', 11),
  Einsum: define(importEinsum, '', 12),
  Gemm: define(importGemm),
  GroupNormalization: define(importStashedNormalization, '', 18),
  GRU: define(importRecurrent),
  InstanceNormalization: define(importOperator()),
  LayerNormalization: define(importLayerNormalization, '', 17),
  LpNormalization: define(importOperator()),
  LRN: define(importOperator()),
  LSTM: define(importRecurrent),
  MatMul: define(importMatMul),
  MatMulInteger: define(importOperator(), '', 10),
  MeanVarianceNormalization: define(importOperator(), '', 9),
  QLinearMatMul: define(importOperator(), 'of 8-bit integers', 10),
  RMSNormalization: define(importStashedNormalization, '', 23),
  RNN: define(importRecurrent),
  RotaryEmbedding: define(importOperator(), '', 23),
}
