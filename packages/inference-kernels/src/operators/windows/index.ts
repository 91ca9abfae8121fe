// SPDX-License-Identifier: Apache-2.0
import type { Operator } from '../operator.ts'
import { averagePool, lpPool } from './average-pool.ts'
import { conv } from './conv.ts'
import { convTranspose } from './conv-transpose.ts'
import { globalAveragePool, globalLpPool, globalMaxPool } from './global-pool.ts'
import { maxPool } from './max-pool.ts'
import { convInteger, qLinearConv } from './quantized-conv.ts'
import { resize } from './resize.ts'

export const windowOperators: readonly Operator[] = [
  conv,
  convTranspose,
  convInteger,
  qLinearConv,
  maxPool,
  averagePool,
  lpPool,
  globalAveragePool,
  globalMaxPool,
  globalLpPool,
  resize,
]
