// SPDX-License-Identifier: Apache-2.0
import type { Operator } from '../operator.ts'
import { attention } from './attention.ts'
import { lpNormalization, meanVarianceNormalization } from './axis-norm.ts'
import { batchNormalization } from './batch-norm.ts'
import { groupNormalization, instanceNormalization } from './channel-norm.ts'
import { det } from './det.ts'
import { einsum } from './einsum.ts'
import { gemm } from './gemm.ts'
import { gru } from './gru.ts'
import { matMulInteger, qLinearMatMul } from './integer-products.ts'
import { layerNormalization, rmsNormalization } from './layer-norm.ts'
import { lrn } from './lrn.ts'
import { lstm } from './lstm.ts'
import { matMul } from './matmul.ts'
import { rnn } from './rnn.ts'
import { rotaryEmbedding } from './rotary.ts'

export const productOperators: readonly Operator[] = [
  matMul,
  gemm,
  einsum,
  matMulInteger,
  qLinearMatMul,
  layerNormalization,
  rmsNormalization,
  instanceNormalization,
  groupNormalization,
  batchNormalization,
  lrn,
  lpNormalization,
  meanVarianceNormalization,
  lstm,
  gru,
  rnn,
  attention,
  rotaryEmbedding,
  det,
]
